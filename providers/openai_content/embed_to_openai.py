"""Gemini's EmbedContentRequest -> the body of OpenAI's /v1/embeddings."""

from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.embeddings import NO_TASK_TYPE, embed_settings, embedded_text
from providers.gemini_content.unsupported import require_model
from providers.gemini_content.warnings import Warnings
from providers.openai_content.dialect import Dialect

_REFUSED: Final = {
    "taskType": f"task type; {NO_TASK_TYPE}",
    "title": "title; leave it out",
}


def to_openai_embedding(
    request: dict[str, Any], *, model: str, path: str, warnings: Warnings, dialect: Dialect
) -> dict[str, Any]:
    """Translate the normalised request (`normalise_embed`) at `path`.

    Raises INVALID_ARGUMENT for content that is not one text, and for unsupported settings.
    """
    provider = dialect.provider
    require_model(request, model, path, provider)
    settings = embed_settings(request, path, provider)
    for name, what in _REFUSED.items():
        if name in settings:
            reason = f"{provider}'s embeddings take no {what}"
            raise invalid_argument(reason, path=settings[name].path)
    body: dict[str, Any] = {
        "model": model.removeprefix("models/"),
        "input": embedded_text(request, path, warnings, provider),
        "encoding_format": "float",
    }
    if "outputDimensionality" in settings:
        size = settings["outputDimensionality"]
        if not dialect.sized_models.fullmatch(body["model"]):
            raise invalid_argument(
                f"{provider}'s model {body['model'][:80]!r} has embeddings of one length; "
                "leave it out",
                path=size.path,
            )
        if size.value < 1:
            raise invalid_argument("must be positive", path=size.path)
        body[dialect.embedding_size] = size.value
    return body
