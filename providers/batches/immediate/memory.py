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
        self._turns: deque[object] = deque()

    @asynccontextmanager
    async def take(self, size: int, pause: Pause) -> AsyncIterator[Reservation]:
        """Wait for `size` bytes, first come first served. Raises what `pause` raises."""
        reservation = await self._reserve(size, pause)
        try:
            yield reservation
        finally:
            reservation.release()
            self._held -= size

    async def _reserve(self, size: int, pause: Pause) -> Reservation:
        turn = object()
        self._turns.append(turn)
        try:
            while True:
                if self._turns[0] is turn and (not self._held or self._held + size <= SHARE_BYTES):
                    with suppress(FerryError):
                        reservation = Reservation(self._budget)
                        reservation.grow(size)
                        self._held += size
                        return reservation
                await pause(_WAIT_SECONDS)
        finally:
            self._turns.remove(turn)


def grow_if_possible(reservation: Reservation, size: int) -> None:
    """Count memory that is in use already, if the budget allows it."""
    with suppress(FerryError):
        reservation.grow(max(0, size))
