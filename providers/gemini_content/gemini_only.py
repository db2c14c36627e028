"""Refuses the fields of a GenerateContentRequest that only Gemini's own service supports."""

from typing import Any, Final

from providers.gemini_content.refusal import refuse_fields

_REASONS: Final = {
    "cachedContent": "{} cannot read content that Gemini caches",
    "store": "{} stores no conversations",
    "continuationToken": "{} cannot continue an answer of Gemini",
    "modelArmorConfig": "{} has no Model Armor",
    "outputConfig": "{} cannot write its answers to another place",
}


def refuse_gemini_only(request: dict[str, Any], path: str, provider: str) -> None:
    """Raise INVALID_ARGUMENT for the first such field of the normalised request at `path`."""
    reasons = {field: reason.format(provider) for field, reason in _REASONS.items()}
    refuse_fields(request, reasons, path)
