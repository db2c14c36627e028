"""Refuses the fields that a provider has no equivalent for."""

from collections.abc import Mapping
from typing import Any

from providers.errors import invalid_argument
from providers.gemini_content.json_path import member


def refuse_fields(present: Mapping[str, Any], reasons: Mapping[str, str], path: str) -> None:
    """Raise INVALID_ARGUMENT for the first field of `reasons` that the object at `path` has."""
    for field, reason in reasons.items():
        if field in present:
            raise invalid_argument(reason, path=member(path, field))
