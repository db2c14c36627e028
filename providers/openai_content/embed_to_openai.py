"""Gemini's EmbedContentRequest -> the body of OpenAI's /v1/embeddings."""

from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.content_parts import content_parts
from providers.gemini_content.embed_settings import embed_settings
from providers.gemini_content.json_path import member
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
    content_path = member(path, "content")
    parts = content_parts(request["content"], content_path, warnings, "OpenAI")
    # It is unknown how Gemini embeds several parts as one vector, so they are not joined here.
    if len(parts) != 1 or parts[0].field != "text" or not parts[0].value:
        raise invalid_argument(
            "OpenAI embeds one text, which must not be empty", path=member(content_path, "parts")
        )
    body: dict[str, Any] = {
        "model": model.removeprefix("models/"),
        "input": parts[0].value,
        "encoding_format": "float",
    }
    if "outputDimensionality" in settings:
        dimensions = settings["outputDimensionality"]
        if dimensions.value < 1:
            raise invalid_argument("must be positive", path=dimensions.path)
        body["dimensions"] = dimensions.value
    return body
