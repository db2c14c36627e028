"""The fields of a request that no other provider has, and that change nothing in the answer."""

from typing import Any, Final

from providers.gemini_content.json_path import member
from providers.gemini_content.warnings import Warnings

_DROPPED: Final = ("labels", "serviceTier")
# Thresholds that block nothing, as a provider without such settings blocks nothing by them.
_OPEN_THRESHOLDS: Final = ("BLOCK_NONE", "OFF")


def drop_harmless_fields(request: dict[str, Any], path: str, warnings: Warnings) -> None:
    """Warn of those that the normalised request at `path` has."""
    for field in _DROPPED:
        if field in request:
            warnings.drop(member(path, field))
    settings = request.get("safetySettings", [])
    if any(setting.get("threshold") not in _OPEN_THRESHOLDS for setting in settings):
        warnings.drop(member(path, "safetySettings"))
