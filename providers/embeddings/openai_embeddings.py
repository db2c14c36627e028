"""Embeddings of the APIs with OpenAI's /v1/embeddings."""

from collections.abc import Mapping
from typing import Any, Final

from providers.credential import Caller
from providers.embeddings.embedding_calls import Packing
from providers.gemini_content.warnings import Warnings
from providers.json_api.client import JsonApi
from providers.openai_content.dialect import Dialect
from providers.openai_content.embed_from_openai import from_openai_embedding
from providers.openai_content.embed_to_openai import to_openai_embedding
from providers.upstream import Reply

_PATH: Final = "embeddings"
TEXTS_MEMBER: Final = "input"


class OpenAIEmbeddings:
    """Implements `EmbeddingApi`."""

    def __init__(self, client: JsonApi, dialect: Dialect, packing: Packing) -> None:
        self.name = client.name
        self._client = client
        self._dialect = dialect
        self._packing = packing

    def packing(self, _model: str) -> Packing:
        return self._packing

    def to_provider(
        self, request: dict[str, Any], model: str, path: str, warnings: Warnings
    ) -> dict[str, Any]:
        return to_openai_embedding(
            request, model=model, path=path, warnings=warnings, dialect=self._dialect
        )

    async def begin(self, caller: Caller, _model: str, body: bytes) -> Reply:
        return await self._client.begin(caller, _PATH, body)

    def from_provider(self, answer: dict[str, Any], _headers: Mapping[str, str]) -> dict[str, Any]:
        return from_openai_embedding(answer)
