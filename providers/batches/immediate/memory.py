"""The memory that immediate jobs hold for their input: a share of the one budget, in turns.

No holder waits for more, so there is no deadlock.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from providers.errors import FerryError
from providers.memory import MemoryBudget, Reservation

# Part of the budget of providers/memory.py; a single segment may be larger.
SHARE_BYTES: Final = 64 << 20
# Concurrent calls of one job.
CALLS_OF_A_JOB: Final = 8
# Reserved for the answer to one record, and for the answers that are not recorded yet.
ANSWER_BYTES: Final = 1 << 20
_WAIT_SECONDS: Final = 1.0

Pause = Callable[[float], Awaitable[None]]


def working_bytes(size: int, records: int) -> int:
    """The memory for a segment of `size` bytes while its `records` are called.

    It covers the segment, its lines, each line parsed and as sent, and the answers.
    """
    return 4 * size + min(records, CALLS_OF_A_JOB + 1) * ANSWER_BYTES


class WorkingMemory:
    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._held = 0
        self._turns: deque[Reservation] = deque()

    @asynccontextmanager
    async def take(self, size: int, pause: Pause) -> AsyncIterator[Reservation]:
        """Wait for `size` bytes, first come first served. Raises what `pause` raises."""
        reservation = Reservation(self._budget)
        self._turns.append(reservation)
        try:
            while self._turns[0] is not reservation or not self._take(size, reservation):
                await pause(_WAIT_SECONDS)
        finally:
            self._turns.remove(reservation)
        try:
            yield reservation
        finally:
            reservation.release()
            self._held -= size

    def _take(self, size: int, reservation: Reservation) -> bool:
        fits = not self._held or self._held + size <= SHARE_BYTES
        if fits and grow_if_possible(reservation, size):
            self._held += size
            return True
        return False


def grow_if_possible(reservation: Reservation, size: int) -> bool:
    """Count memory, if the budget allows it."""
    with suppress(FerryError):
        reservation.grow(max(0, size))
        return True
    return False
