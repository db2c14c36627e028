"""Refuses unknown members, and names the known one that is most similar, or the few known ones."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

from providers.errors import FerryError, invalid_argument

# The time for comparing grows with the square of the length.
_COMPARED: Final = 40
_SHOWN: Final = 80
# A longer list would hide what is wrong.
_LISTED: Final = 4
# So similar is a typing error: `reqest` for `request`, but not `modelInput` for `model`.
_MISSPELT: Final = 0.8


def unknown_member(name: str, known: Collection[str], path: str) -> FerryError:
    """The error for member `name`, at JSON path `path`, of an object whose members are `known`."""
    close = get_close_matches(name[:_COMPARED], known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else _known_ones(known)
    return invalid_argument(f"unknown field{hint}", path=path)


def _known_ones(known: Collection[str]) -> str:
    return f"; the known ones are {', '.join(sorted(known))}" if len(known) <= _LISTED else ""


def is_misspelt(name: str, known: Collection[str]) -> bool:
    """Whether `name` differs from one of `known` by no more than a typing error."""
    return bool(get_close_matches(name[:_COMPARED], known, n=1, cutoff=_MISSPELT))


def refuse_unknown(members: Collection[str], known: Collection[str], where: str) -> None:
    """Raises INVALID_ARGUMENT for the first of `members` that is not in `known`."""
    for name in members:
        if name not in known:
            raise unknown_member(name, known, f"{where}{name[:_SHOWN]}")
