"""How much of a batch may be held at once, as the settings say."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes: one line of a file, and all the results that `get` answers inline."""

    line: int
    inline_results: int
