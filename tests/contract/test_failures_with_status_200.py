"""A provider that says in an answer with the status 200 that it failed, and quotes the key."""

from typing import Any

import orjson
import pytest

from providers.resources import EmbedForm, EmbedRequest, Prompt
from providers.status import Status
from tests.contract.anthropic_with_fake import AnthropicWithFake
from tests.contract.openai_with_fake import OpenAIWithFake
from tests.contract.provider_with_fake import ProviderWithFake, asking, refused

EMBEDDED = {"content": {"parts": [{"text": "hello"}]}}


def failure(work: ProviderWithFake) -> dict[str, Any]:
    said = f"the key {work.caller.credential.secret} is blocked"
    return {"type": "error", "error": {"type": "overloaded_error", "message": said}}


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("chat/completions", "generate"),
        ("responses/input_tokens", "count"),
        ("embeddings", "embed"),
    ],
)
async def test_of_openai(openai: OpenAIWithFake, path: str, call: str) -> None:
    await openai.strike("POST", path, "status", status=200, body=failure(openai))
    provider, prompt = openai.provider, Prompt("gpt-4o-mini", orjson.dumps(asking("hello")))
    embed = EmbedRequest("text-embedding-3-small", EmbedForm.ONE, orjson.dumps(EMBEDDED))
    assert provider.prompts is not None
    assert provider.tokens is not None
    assert provider.embeddings is not None
    calls: dict[str, Any] = {
        "generate": lambda: provider.prompts.generate(openai.caller, prompt),
        "count": lambda: provider.tokens.count(openai.caller, prompt),
        "embed": lambda: provider.embeddings.embed(openai.caller, embed),
    }
    error = await refused(calls[call]())
    assert error.status == Status.UNAVAILABLE
    assert error.message == "the key *** is blocked"


async def test_of_anthropic(anthropic: AnthropicWithFake) -> None:
    await anthropic.strike("POST", "messages", "status", status=200, body=failure(anthropic))
    assert anthropic.provider.prompts is not None
    prompt = Prompt("claude-haiku-4-5", orjson.dumps(asking("hello")))
    error = await refused(anthropic.provider.prompts.generate(anthropic.caller, prompt))
    assert (error.status, error.message) == (Status.UNAVAILABLE, "the key *** is blocked")
