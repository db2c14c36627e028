"""Refusing the fields of a GenerateContentRequest that need Gemini's own service."""

from typing import Any, Final

from providers.gemini_content.refusal import refuse_fields

_REASONS: Final = {
    "cachedContent": "{} cannot read a context that Gemini caches",
    "store": "{} stores no conversations",
    "continuationToken": "{} cannot continue what Gemini began",
    "modelArmorConfig": "{} has no Model Armor",
    "outputConfig": "{} cannot write its answers elsewhere",
}


def refuse_gemini_only(request: dict[str, Any], path: str, provider: str) -> None:
    """Raise INVALID_ARGUMENT for the first of them in the normalised request at `path`."""
    reasons = {field: reason.format(provider) for field, reason in _REASONS.items()}
    refuse_fields(request, reasons, path)
