"""Gemini's EmbedContentRequest -> the bodies of Titan and Cohere embeddings."""

from collections.abc import Mapping
from typing import Any, Final

from providers.bedrock.content.bedrock_models import ModelFamily, model_family
from providers.errors import invalid_argument
from providers.gemini_content.embeddings import (
    NO_TASK_TYPE,
    EmbedSetting,
    embed_settings,
    embedded_text,
)
from providers.gemini_content.json_path import member
from providers.gemini_content.unsupported import require_model
from providers.gemini_content.warnings import Warnings

EMBEDDING_FAMILIES: Final = frozenset(
    {
        ModelFamily.TITAN_EMBED_V1,
        ModelFamily.TITAN_EMBED_V2,
        ModelFamily.COHERE_EMBED_V3,
        ModelFamily.COHERE_EMBED_V4,
    }
)
_COHERE: Final = frozenset({ModelFamily.COHERE_EMBED_V3, ModelFamily.COHERE_EMBED_V4})

# bedrock.md section 4. Older models have one fixed dimension.
_DIMENSIONS: Final[Mapping[ModelFamily, tuple[int, ...]]] = {
    ModelFamily.TITAN_EMBED_V2: (256, 512, 1024),
    ModelFamily.COHERE_EMBED_V4: (256, 512, 1024, 1536),
}
_INPUT_TYPES: Final[Mapping[str, str]] = {
    "RETRIEVAL_QUERY": "search_query",
    "RETRIEVAL_DOCUMENT": "search_document",
    "CLASSIFICATION": "classification",
    "CLUSTERING": "clustering",
}
# Cohere requires a type, Gemini does not. Texts embedded in bulk are mostly documents for search.
DEFAULT_INPUT_TYPE: Final = "search_document"


def require_embedding_model(model: str) -> ModelFamily:
    """The family of a model whose embeddings can be translated. Raises INVALID_ARGUMENT."""
    family = model_family(model)
    if family not in EMBEDDING_FAMILIES:
        raise invalid_argument(
            f"{model} is not a known embedding model; the known ones are "
            f"{', '.join(sorted(EMBEDDING_FAMILIES))}"
        )
    return family


def to_bedrock_embedding(
    request: dict[str, Any], *, model: str, path: str, warnings: Warnings
) -> dict[str, Any]:
    """Translate a normalised request (`normalise_embed`) that the client wrote at `path`.

    Raises INVALID_ARGUMENT for a model of another kind, for content that is not one text, and for a
    setting without an equivalent.
    """
    family = require_embedding_model(model)
    require_model(request, model, path, "Bedrock")
    settings = embed_settings(request, path, "Bedrock")
    if "title" in settings:
        reason = "Bedrock's embeddings take no title; leave it out"
        raise invalid_argument(reason, path=settings["title"].path)
    task = settings.get("taskType")
    text = embedded_text(request, path, warnings, "Bedrock")
    dimensions = _dimensions(settings.get("outputDimensionality"), family)
    if family in _COHERE:
        input_type = _input_type(task, member(path, "taskType"), warnings)
        body: dict[str, Any] = {"texts": [text], "input_type": input_type}
        return body if dimensions is None else body | {"output_dimension": dimensions}
    if task is not None:
        reason = f"Titan's embeddings take no task type; {NO_TASK_TYPE}"
        raise invalid_argument(reason, path=task.path)
    body = {"inputText": text}
    return body if dimensions is None else body | {"dimensions": dimensions}


def _dimensions(asked: EmbedSetting | None, family: ModelFamily) -> int | None:
    if asked is None:
        return None
    offered = _DIMENSIONS.get(family, ())
    if asked.value not in offered:
        takes = ", ".join(map(str, offered))
        reason = f"takes {takes}" if takes else "has embeddings of one length; leave it out"
        raise invalid_argument(f"{family} {reason}", path=asked.path)
    dimensions: int = asked.value
    return dimensions


def _input_type(task: EmbedSetting | None, default_path: str, warnings: Warnings) -> str:
    if task is None:
        warnings.fill(default_path, DEFAULT_INPUT_TYPE)
        return DEFAULT_INPUT_TYPE
    if task.value not in _INPUT_TYPES:
        raise invalid_argument(f"Cohere takes {', '.join(_INPUT_TYPES)}", path=task.path)
    return _INPUT_TYPES[task.value]
