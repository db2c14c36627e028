"""How much of a batch may be in memory at once, from the settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes: one line of a file, and all results that `get` returns inline."""

    line: int
    inline_results: int
