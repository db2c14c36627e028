"""Shared by the contract tests of embeddings: requests of clients, and what comes back."""

from collections.abc import Sequence
from typing import Any

import orjson

from providers.resources import EmbedForm, EmbedRequest
from tests.contract.provider_with_fake import ProviderWithFake
from tests.fakes.sample import vector


def embedding(text: str, **settings: Any) -> dict[str, Any]:
    return {"content": {"parts": [{"text": text}]}, **settings}


def batch(model: str, requests: Sequence[object]) -> EmbedRequest:
    return EmbedRequest(model, EmbedForm.MANY, orjson.dumps({"requests": requests}))


async def embedded(
    work: ProviderWithFake, request: EmbedRequest
) -> tuple[list[list[float]], int | None, str]:
    """The vectors, the tokens and the warnings; the memory is given back."""
    assert work.provider.embeddings is not None
    made = await work.provider.embeddings.embed(work.caller, request)
    vectors = [orjson.loads(each) for each in made.vectors]
    await made.close()
    assert work.no_memory_reserved
    return vectors, made.tokens, made.warnings


def vectors(texts: Sequence[str], length: int) -> list[list[float]]:
    """What the fakes answer."""
    return [vector(text, length) for text in texts]
