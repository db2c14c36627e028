"""One budget for everything that is in memory as a whole, in fair shares."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager
from dataclasses import dataclass
from typing import Final

from providers.body import read_up_to
from providers.errors import failed_precondition
from providers.fair_shares import FairShares
from providers.spool import OpenSpool, no_spool

BUDGET_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes: one line of a file, and all results that `get` returns inline.

    `open_spool`: where the translated input of a batch is kept, instead of in memory.
    """

    line: int
    inline_results: int
    open_spool: OpenSpool = no_spool


class Reservation:
    """A part of the budget for one request; it can grow, and is released as a whole."""

    def __init__(self, budget: "MemoryBudget") -> None:
        self._budget = budget
        self._account = budget.account()
        self._size = 0

    def grow(self, size: int) -> None:
        """Reserve `size` more bytes.

        Raises RESOURCE_EXHAUSTED if the budget or the share has too little left, and
        FAILED_PRECONDITION for more than the whole budget, where waiting does not help.
        """
        if not self.fits(size):
            raise failed_precondition(
                f"this needs more than the {self._budget.size} bytes of memory that the proxy has "
                "for all requests together: send a smaller request or file"
            )
        self._budget.take(size, self._account)
        self._size += size

    def fits(self, size: int) -> bool:
        """Whether the whole budget has space for this reservation and `size` more bytes."""
        return self._size + size <= self._budget.size

    def more(self, size: int) -> "AbstractContextManager[Reservation]":
        """Reserve `size` more bytes for the length of a block. Raises as `grow` does."""
        return self._budget.reserve(size)

    async def read(self, chunks: AsyncIterable[bytes], limit: int, copies: int) -> bytes | None:
        """As `read_up_to`; memory for `copies` of each chunk is reserved when it arrives.

        So a length that is only declared takes nothing from others. Raises as `grow` does.
        """
        async with aclosing(self._counted(chunks, copies)) as counted:
            return await read_up_to(counted, limit)

    def release(self) -> None:
        self._budget.give_back(self._size, self._account)
        self._size = 0

    async def _counted(
        self, chunks: AsyncIterable[bytes], copies: int
    ) -> AsyncGenerator[bytes, None]:
        async for chunk in chunks:
            self.grow(copies * len(chunk))
            yield chunk


class MemoryBudget(FairShares):
    """`size` is the whole budget, in bytes. `accepted`: whether a provider knows the tenant."""

    def __init__(
        self, size: int = BUDGET_BYTES, accepted: Callable[[str], bool] = lambda _: True
    ) -> None:
        super().__init__(size, "the proxy's memory", accepted)

    @contextmanager
    def reserve(self, size: int = 0) -> Iterator[Reservation]:
        """Reserve `size` bytes of the budget for the length of a block."""
        reservation = Reservation(self)
        reservation.grow(size)
        try:
            yield reservation
        finally:
            reservation.release()
