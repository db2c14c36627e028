"""Translates one request at a time to a record of Bedrock's batch input.

A job has one format. All text models accept Converse, but a batch in that format accepts no tools.
So a translation to Converse notes where the first tool is, and the job is then written in Claude's
own schema or refused (bedrock.md section 4).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from providers.batches.request_table import indexed_id
from providers.bedrock.content.bedrock_models import (
    InvocationType,
    ModelFamily,
    model_family,
    require_batched,
)
from providers.bedrock.content.embed_to_bedrock import (
    EMBEDDING_FAMILIES,
    require_embedding_model,
    to_bedrock_embedding,
)
from providers.bedrock.content.generate_to_converse import to_converse
from providers.bedrock.content.generate_to_invoke_model import to_invoke_model
from providers.bedrock.content.native_lines import MODEL_INPUT, RECORD_ID
from providers.bedrock.content.prompt_cache import with_cache_points
from providers.bedrock.content.tools_to_converse import tools_at
from providers.claude_content.prompt_cache import marked_for_cache
from providers.errors import FerryError, invalid_argument
from providers.gemini_content.normalise import normalise_embed, normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import render_json
from providers.prompt_cache import CacheLife
from providers.resources import BatchKind


@dataclass(slots=True)
class BedrockTranslator:
    """Gemini requests to Bedrock's records; implements `line_formats.RequestTranslator`.

    `media_uri` gives the `s3://` URI of a file of this proxy, from its URI or name and the JSON
    path that names it. `tools_at` is the JSON path of the first field about functions in any
    request, whether Converse can express it or not. `cache`: what prompts are marked for.
    """

    model: str
    kind: BatchKind
    invocation: InvocationType
    media_uri: Callable[[str, str], str | None]
    cache: CacheLife | None = None
    warnings: Warnings = field(default_factory=Warnings)
    tools_at: str | None = None

    @property
    def endpoint(self) -> str:
        return str(self.invocation)

    def line(self, index: int, request: object, path: str) -> bytes:
        """The record of request `index`, which is at `path` in the client's document."""
        model_input = self._model_input(request, path)
        return render_json({RECORD_ID: indexed_id(index), MODEL_INPUT: model_input})

    def _model_input(self, request: object, path: str) -> dict[str, Any]:
        if self.kind is BatchKind.EMBED:
            normalised = normalise_embed(request, path)
            return to_bedrock_embedding(
                normalised, model=self.model, path=path, warnings=self.warnings
            )
        normalised = normalise_generate(request, path)
        if self.invocation is InvocationType.INVOKE_MODEL:
            body = to_invoke_model(normalised, model=self.model, path=path, warnings=self.warnings)
            return marked_for_cache(body, self.cache)
        asked = self.tools_at or tools_at(normalised, path)
        try:
            body = to_converse(
                normalised,
                model=self.model,
                path=path,
                warnings=self.warnings,
                media_uri=self.media_uri,
            )
        except FerryError:
            self.tools_at = asked
            raise
        if "toolConfig" in body:  # it leaves out tools that may not be called
            self.tools_at = asked
        return with_cache_points(body, self.model, self.cache)


def first_invocation(model: str, kind: BatchKind) -> InvocationType:
    """The format of a job that needs no tools.

    Raises INVALID_ARGUMENT for a model that accepts no batch, or no batch of this kind.
    """
    require_batched(model)
    if kind is BatchKind.EMBED:
        require_embedding_model(model)
        return InvocationType.INVOKE_MODEL
    require_text_model(model)
    return InvocationType.CONVERSE


def require_text_model(model: str) -> None:
    """Raise INVALID_ARGUMENT for a model of embeddings."""
    if model_family(model) in EMBEDDING_FAMILIES:
        raise invalid_argument(f"{model} gives embeddings only")


def check_tools_can_go(model: str, path: str) -> None:
    """Raise INVALID_ARGUMENT at `path`, unless a batch for `model` accepts functions.

    Only Claude's does, in the format InvokeModel.
    """
    if model_family(model) is not ModelFamily.CLAUDE:
        raise invalid_argument(
            "a batch at Bedrock accepts functions only for Claude, with a model id that names it",
            path=path,
        )
