"""The values of a GenerationConfig that providers take under other names and within limits."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from providers.errors import invalid_argument
from providers.gemini_content.json_path import item, member

Range: TypeAlias = tuple[str, str, float, float]
"""Gemini's name, the provider's, and the smallest and largest value that the provider takes."""


def settings_in_range(
    config: dict[str, Any], ranges: Iterable[Range], path: str, provider: str
) -> dict[str, Any]:
    """Those settings of the GenerationConfig at `path` that it has, by the provider's names.

    Raises INVALID_ARGUMENT for a value outside its range: values are never rescaled.
    """
    settings: dict[str, Any] = {}
    for gemini, native, least, greatest in ranges:
        if gemini in config:
            if not least <= config[gemini] <= greatest:
                raise invalid_argument(
                    f"{provider} takes {least} to {greatest}", path=member(path, gemini)
                )
            settings[native] = config[gemini]
    return settings


def stop_sequences(
    config: dict[str, Any],
    path: str,
    provider: str,
    *,
    accepts: Callable[[str], object] = bool,
    most: int | None = None,
) -> list[str]:
    """The stop sequences of the GenerationConfig at `path`; `accepts` may refuse blank ones too."""
    stops, stops_path = config.get("stopSequences", []), member(path, "stopSequences")
    if most is not None and len(stops) > most:
        raise invalid_argument(f"{provider} takes at most {most}", path=stops_path)
    for index, stop in enumerate(stops):
        if not accepts(stop):
            raise invalid_argument(
                f"must not be {'white space alone' if stop else 'empty'}",
                path=item(stops_path, index),
            )
    return list(stops)
