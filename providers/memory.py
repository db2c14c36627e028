"""One budget for everything that is in memory as a whole (contract.md section 8)."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

from providers.errors import failed_precondition, resource_exhausted

BUDGET_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes: one line of a file, and all results that `get` returns inline."""

    line: int
    inline_results: int


class Reservation:
    """A share of the budget; it can grow, and is released as a whole."""

    def __init__(self, budget: "MemoryBudget") -> None:
        self._budget = budget
        self._size = 0

    def grow(self, size: int) -> None:
        """Reserve `size` more bytes.

        Raises RESOURCE_EXHAUSTED if the budget has too little left, and FAILED_PRECONDITION for
        more than the whole budget, where waiting does not help.
        """
        if not self.fits(size):
            raise failed_precondition(
                f"this needs more than the {self._budget.size} bytes of memory that the proxy has "
                "for all requests together: send a smaller request or file"
            )
        self._budget.take(size)
        self._size += size

    def fits(self, size: int) -> bool:
        """Whether the whole budget has space for this reservation and `size` more bytes."""
        return self._size + size <= self._budget.size

    def more(self, size: int) -> "AbstractContextManager[Reservation]":
        """Reserve `size` more bytes for the length of a block. Raises as `grow` does."""
        return self._budget.reserve(size)

    def release(self) -> None:
        self._budget.give_back(self._size)
        self._size = 0


class MemoryBudget:
    """`size` is the whole budget, in bytes."""

    def __init__(self, size: int = BUDGET_BYTES) -> None:
        self.size: Final = size
        self._left = size

    @property
    def used(self) -> int:
        return self.size - self._left

    def take(self, size: int) -> None:
        if size > self._left:
            raise resource_exhausted(
                "the memory budget of the proxy is used up; try again in a moment"
            )
        self._left -= size

    def give_back(self, size: int) -> None:
        self._left += size

    @contextmanager
    def reserve(self, size: int = 0) -> Iterator[Reservation]:
        """Reserve `size` bytes of the budget for the length of a block."""
        reservation = Reservation(self)
        reservation.grow(size)
        try:
            yield reservation
        finally:
            reservation.release()
