"""Embeddings of Bedrock's models, Titan and Cohere, in the models' own schemas."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from providers.aws.client import AwsClient
from providers.aws.target import AwsTargets
from providers.bedrock.content.bedrock_models import InvocationType, ModelFamily
from providers.bedrock.content.embed_to_bedrock import (
    require_embedding_model,
    to_bedrock_embedding,
)
from providers.bedrock.content.result_from_bedrock import (
    from_cohere_embeddings,
    from_titan_embedding,
)
from providers.bedrock.runtime import WHOLE, invoke
from providers.credential import Caller
from providers.embeddings.embedding_calls import Packing
from providers.gemini_content.warnings import Warnings
from providers.json_api.answer_shape import written_count
from providers.limits import Limit
from providers.retries import Retries
from providers.upstream import Reply

COHERE_TEXTS: Final = Limit(
    96, "texts", "one call to a Cohere model at Bedrock; the rest is sent in others"
)

# Cohere's answer itself has no count.
_INPUT_TOKENS: Final = "X-Amzn-Bedrock-Input-Token-Count"

_COHERE: Final = Packing("texts", COHERE_TEXTS)
_TITAN: Final = Packing("inputText", 1)
_PACKINGS: Final[Mapping[ModelFamily, Packing]] = {
    ModelFamily.TITAN_EMBED_V1: _TITAN,
    ModelFamily.TITAN_EMBED_V2: _TITAN,
    ModelFamily.COHERE_EMBED_V3: _COHERE,
    ModelFamily.COHERE_EMBED_V4: _COHERE,
}


class BedrockEmbeddings:
    """Implements `EmbeddingApi`."""

    def __init__(self, client: AwsClient, targets: AwsTargets, retries: Retries) -> None:
        self.name = client.name
        self._client = client
        self._targets = targets
        self._retries = retries

    def packing(self, model: str) -> Packing:
        return _PACKINGS[require_embedding_model(model)]

    def to_provider(
        self, request: dict[str, Any], model: str, path: str, warnings: Warnings
    ) -> dict[str, Any]:
        return to_bedrock_embedding(request, model=model, path=path, warnings=warnings)

    async def begin(self, caller: Caller, model: str, body: bytes) -> Reply:
        """It is sent again only if nothing of it was: an answer costs money."""
        target = await self._targets.of(caller)
        verb = WHOLE[InvocationType.INVOKE_MODEL]
        return await self._retries.unsent(partial(invoke, self._client, target, model, verb, body))

    def from_provider(self, answer: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        if "embeddings" not in answer:
            return from_titan_embedding(answer)
        tokens = written_count(headers.get(_INPUT_TOKENS, ""))
        counted = {} if tokens is None else {"tokenCount": str(tokens)}
        return from_cohere_embeddings(answer) | counted
