"""What the state store listed when a client began to read a list.

The store is asked for all names with the first page. To ask again with each page would cost the
square of their number. So each page token names its paging, and a process that has read the names
for this paging uses them again. They are never older than the paging: what is created later need
not be in its pages.
"""

import re
import secrets
import time
from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T", bound=Sized)

# About 15 MiB.
MOST_KEPT: Final = 100_000
KEPT_SECONDS: Final = 600.0

_TOKEN: Final = re.compile(r"([0-9a-f]{16})\.(.+)", re.DOTALL)

Clock = Callable[[], float]
PagingId = tuple[str, ...]
"""The list, with its tenant, and the paging that `new_paging` made."""


@dataclass(frozen=True, slots=True)
class _Read(Generic[T]):
    names: T
    until: float


class Pagings(Generic[T]):
    """The names of the newest pagings, up to `MOST_KEPT`. `clock` is in seconds."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._read: dict[PagingId, _Read[T]] = {}
        self._count = 0

    def names(self, paging: PagingId) -> T | None:
        """None if they are not kept."""
        read = self._read.get(paging)
        return read.names if read is not None and self._clock() < read.until else None

    def keep(self, paging: PagingId, names: T) -> None:
        """Does nothing with more than `MOST_KEPT`."""
        now = self._clock()
        self._remove(paging)
        self._read[paging] = _Read(names, now + KEPT_SECONDS)
        self._count += len(names)
        while self._read:
            oldest, read = next(iter(self._read.items()))
            if self._count <= MOST_KEPT and now < read.until:
                return
            self._remove(oldest)

    def _remove(self, paging: PagingId) -> None:
        removed = self._read.pop(paging, None)
        self._count -= len(removed.names) if removed else 0


def new_paging() -> str:
    return secrets.token_hex(8)


def split_token(page_token: str) -> tuple[str, str]:
    """A paging, and the rest of the token; a new paging for a token of an earlier version."""
    found = _TOKEN.fullmatch(page_token)
    return (found[1], found[2]) if found else (new_paging(), page_token)


def token_in(paging: str, rest: str | None) -> str | None:
    return None if rest is None else f"{paging}.{rest}"
