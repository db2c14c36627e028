"""Gemini's EmbedContentRequest -> the body of OpenAI's /v1/embeddings."""

from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.embeddings import embed_settings, embedded_text
from providers.gemini_content.unsupported import require_model
from providers.gemini_content.warnings import Warnings

_REFUSED: Final = {
    "taskType": "OpenAI's embeddings take no task type; leave it out",
    "title": "OpenAI's embeddings take no title; leave it out",
}


def to_openai_embedding(
    request: dict[str, Any], *, model: str, path: str, warnings: Warnings
) -> dict[str, Any]:
    """Translate the normalised request (`normalise_embed`) at `path`.

    Raises INVALID_ARGUMENT for content that is not one text, and for unsupported settings.
    """
    require_model(request, model, path, "OpenAI")
    settings = embed_settings(request, path, "OpenAI")
    for name, reason in _REFUSED.items():
        if name in settings:
            raise invalid_argument(reason, path=settings[name].path)
    body: dict[str, Any] = {
        "model": model.removeprefix("models/"),
        "input": embedded_text(request, path, warnings, "OpenAI"),
        "encoding_format": "float",
    }
    if "outputDimensionality" in settings:
        dimensions = settings["outputDimensionality"]
        if dimensions.value < 1:
            raise invalid_argument("must be positive", path=dimensions.path)
        body["dimensions"] = dimensions.value
    return body
