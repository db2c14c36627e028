"""The fields of a request that only Gemini has and that do not change the answer."""

from typing import Any, Final

from providers.gemini_content.json_path import member
from providers.gemini_content.warnings import Warnings

_DROPPED: Final = ("labels", "serviceTier")
# These thresholds block nothing, and neither does a provider without safety settings.
_OPEN_THRESHOLDS: Final = ("BLOCK_NONE", "OFF")


def drop_harmless_fields(request: dict[str, Any], path: str, warnings: Warnings) -> None:
    """Warn about the fields of this kind in the normalised request at `path`."""
    for field in _DROPPED:
        if field in request:
            warnings.drop(member(path, field))
    settings = request.get("safetySettings", [])
    if any(setting.get("threshold") not in _OPEN_THRESHOLDS for setting in settings):
        warnings.drop(member(path, "safetySettings"))
