"""What embeddings of other providers share: the settings, the text, and the answer."""

from dataclasses import dataclass
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.content_parts import content_parts
from providers.gemini_content.json_path import item, member
from providers.gemini_content.scalars import read_scalar
from providers.gemini_content.schema import STRING
from providers.gemini_content.turns import placed_parts
from providers.gemini_content.unsupported import refuse_fields, require_model
from providers.gemini_content.warnings import Warnings
from providers.json_api.answer_shape import as_list, as_number
from providers.json_api.unknown_members import refuse_unknown
from providers.limits import EMBED_REQUESTS
from providers.resources import EmbedForm

NO_TASK_TYPE: Final = "leave it out, or give TASK_TYPE_UNSPECIFIED if the library needs one"

_SETTINGS: Final = ("taskType", "title", "outputDimensionality")
_REFUSED: Final = {
    "autoTruncate": "{} does not cut a text that is too long",
    "documentOcr": "{} embeds text only",
    "audioTrackExtraction": "{} embeds text only",
    "mimeType": "{} embeds text only",
}


@dataclass(frozen=True, slots=True)
class EmbedSetting:
    """`path` is where the client wrote it: in the request or in its `embedContentConfig`."""

    value: Any
    path: str


def embed_requests(
    document: dict[str, Any], form: EmbedForm, model: str, provider: str
) -> list[tuple[object, str]]:
    """The EmbedContentRequests of a call's body, each with its path. Raises INVALID_ARGUMENT."""
    if form is EmbedForm.ONE:
        return [(document, "")]
    refuse_unknown(document, ("model", "requests"), "")
    named = document.get("model")
    if named is not None:  # Google's Go library of the older API writes it here too
        require_model({"model": read_scalar(named, STRING, "model")}, model, "", provider)
    requests = document.get("requests")
    if isinstance(requests, dict):  # a lone object, as in `normalise`
        requests = [requests]
    if not isinstance(requests, list) or not requests:
        raise invalid_argument("must be a list of at least one request", path="requests")
    if len(requests) > EMBED_REQUESTS:
        raise invalid_argument(
            f"has {len(requests)} requests; one call takes {EMBED_REQUESTS}", path="requests"
        )
    return [(request, item("requests", index)) for index, request in enumerate(requests)]


def embed_settings(request: dict[str, Any], path: str, provider: str) -> dict[str, EmbedSetting]:
    """The settings of the normalised request at `path`, by name.

    Raises INVALID_ARGUMENT for a setting that is given twice with different values, and for one
    that only Gemini has.
    """
    config, config_path = request.get("embedContentConfig", {}), member(path, "embedContentConfig")
    refuse_fields(config, _REFUSED, config_path, provider)
    settings: dict[str, EmbedSetting] = {}
    for name in _SETTINGS:
        if name in config:
            settings[name] = EmbedSetting(config[name], member(config_path, name))
        if name in request:
            if request[name] != config.get(name, request[name]):
                raise invalid_argument(
                    f"differs from {name} outside embedContentConfig", path=settings[name].path
                )
            settings[name] = EmbedSetting(request[name], member(path, name))
    return settings


def embedded_text(request: dict[str, Any], path: str, warnings: Warnings, provider: str) -> str:
    """The content of the normalised request at `path`, which must be one text."""
    content_path = member(path, "content")
    parts = content_parts(
        placed_parts(request["content"], content_path), content_path, warnings, provider
    )
    # It is unknown how Gemini embeds several parts as one vector, so they are not joined here.
    if len(parts) != 1 or parts[0].field != "text" or not parts[0].value:
        raise invalid_argument(
            f"{provider} embeds one text, which must not be empty",
            path=member(content_path, "parts"),
        )
    return str(parts[0].value)


def embedding_values(vector: object) -> list[int | float]:
    """The numbers of an embedding. Raises UnreadableAnswer for any other value."""
    return [as_number(value, "a value") for value in as_list(vector, "an embedding")]


def embedding_answer(vectors: list[list[int | float]], tokens: int | None = None) -> dict[str, Any]:
    """`{"embedding": {"values": [...]}, "tokenCount": "3"}`.

    A line in a provider's own format may embed several texts. Its answer is then
    `{"embeddings": [{"values": [...]}, ...], "tokenCount": "3"}`, in the order of the texts.
    """
    embeddings = [{"values": vector} for vector in vectors]
    one = {"embedding": embeddings[0]} if len(embeddings) == 1 else {"embeddings": embeddings}
    return one if tokens is None else {**one, "tokenCount": str(tokens)}
