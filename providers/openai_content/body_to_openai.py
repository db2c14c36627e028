"""The endpoints of a batch, and the bodies of their requests."""

from collections.abc import Mapping
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.media import FileIds
from providers.gemini_content.normalise import normalise_embed, normalise_generate
from providers.gemini_content.warnings import Warnings
from providers.openai_content.dialect import Dialect
from providers.openai_content.embed_to_openai import to_openai_embedding
from providers.openai_content.generate_to_openai import to_openai_chat
from providers.resources import BatchKind

CHAT: Final = "/v1/chat/completions"
EMBEDDINGS: Final = "/v1/embeddings"
RESPONSES: Final = "/v1/responses"

ENDPOINT_OF: Final[Mapping[BatchKind, str]] = {
    BatchKind.GENERATE: CHAT,
    BatchKind.EMBED: EMBEDDINGS,
}
_ENDPOINTS: Final = (CHAT, EMBEDDINGS, RESPONSES)


def known_endpoint(native: str) -> str:
    """The endpoint that a batch names, as OpenAI writes it; `native` itself for any other.

    Azure leaves its version out, and other servers have other versions (openai.md section 10).
    """
    if native in _ENDPOINTS:
        return native
    ends = (name for name in _ENDPOINTS if native.endswith(name.removeprefix("/v1")))
    return next(ends, native)


def to_openai_body(
    request: object,
    kind: BatchKind,
    *,
    model: str,
    path: str,
    warnings: Warnings,
    file_ids: FileIds,
    dialect: Dialect,
) -> dict[str, Any]:
    """Translate the request at `path`, as a client wrote it, for the endpoint of `kind`."""
    if kind is BatchKind.EMBED:
        normalised = normalise_embed(request, path)
        return to_openai_embedding(
            normalised, model=model, path=path, warnings=warnings, dialect=dialect
        )
    return to_openai_chat(
        normalise_generate(request, path),
        model=model,
        path=path,
        warnings=warnings,
        file_ids=file_ids,
        dialect=dialect,
    )


def check_native_body(
    body: object, model: str, path: str, default_model: str | None = None
) -> dict[str, Any]:
    """The body of a line in the provider's own format, which must be for the batch's `model`.

    `default_model` is the one of a body that names none. Raises INVALID_ARGUMENT.
    """
    if not isinstance(body, dict):
        raise invalid_argument("must be a JSON object", path=path)
    if body.get("model", default_model) != model:
        raise invalid_argument(f"is not {model!r}, the model in the call", path=f"{path}.model")
    if "stream" in body:
        raise invalid_argument("a batch cannot stream; leave it out", path=f"{path}.stream")
    return body
