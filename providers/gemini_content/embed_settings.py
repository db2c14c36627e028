"""The settings of an EmbedContentRequest: members of it or of its `embedContentConfig`."""

from dataclasses import dataclass
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.unsupported import refuse_fields

_SETTINGS: Final = ("taskType", "title", "outputDimensionality")
_REFUSED: Final = {
    "autoTruncate": "{} does not cut a text that is too long",
    "documentOcr": "{} embeds text only",
    "audioTrackExtraction": "{} embeds text only",
    "mimeType": "{} embeds text only",
}


@dataclass(frozen=True, slots=True)
class EmbedSetting:
    """`path` is where the client wrote it."""

    value: Any
    path: str


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
