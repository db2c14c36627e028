"""Refusing an unknown member, with the known name that it resembles."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

from providers.errors import FerryError, invalid_argument

# Comparing takes time that grows with the square of the length.
_COMPARED: Final = 40
_SHOWN: Final = 80


def unknown_member(name: str, known: Collection[str], path: str) -> FerryError:
    """For the member `name`, at the JSON path `path`, of an object that has only `known` ones."""
    close = get_close_matches(name[:_COMPARED], known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return invalid_argument(f"unknown field{hint}", path=path)


def refuse_unknown(members: Collection[str], known: Collection[str], where: str) -> None:
    """Raises INVALID_ARGUMENT for the first of `members` that is not among `known`."""
    for name in members:
        if name not in known:
            raise unknown_member(name, known, f"{where}{name[:_SHOWN]}")
