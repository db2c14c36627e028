"""The memory that immediate jobs hold for their input: a share of the one budget, in turns.

No holder waits for more, so there is no deadlock.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from providers.errors import FerryError
from providers.memory import MemoryBudget, Reservation

# Part of the budget of providers/memory.py; a single segment may be larger.
SHARE_BYTES: Final = 64 << 20
_WAIT_SECONDS: Final = 1.0

Pause = Callable[[float], Awaitable[None]]


class WorkingMemory:
    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._held = 0
        self._turns: deque[object] = deque()

    async def take(self, size: int, pause: Pause) -> "MemoryShare":
        """Wait for `size` bytes, first come first served. Raises what `pause` raises."""
        turn = object()
        self._turns.append(turn)
        try:
            while True:
                share = self._share(size) if self._turns[0] is turn else None
                if share is not None:
                    return share
                await pause(_WAIT_SECONDS)
        finally:
            self._turns.remove(turn)

    def _share(self, size: int) -> "MemoryShare | None":
        if self._held and self._held + size > SHARE_BYTES:
            return None
        reservation = Reservation(self._budget)
        try:
            reservation.grow(size)
        except FerryError:
            return None
        self._held += size
        return MemoryShare(reservation, lambda: self._give_back(size))

    def _give_back(self, size: int) -> None:
        self._held -= size


class MemoryShare:
    """Memory with several holders, released by the last of them."""

    def __init__(self, reservation: Reservation, given_back: Callable[[], None]) -> None:
        self._reservation = reservation
        self._given_back = given_back
        self._holders = 1

    def retain(self) -> None:
        self._holders += 1

    def release(self) -> None:
        self._holders -= 1
        if self._holders == 0:
            self._reservation.release()
            self._given_back()

    def grow_if_possible(self, size: int) -> None:
        """Count memory that is in use already, if the budget allows it."""
        with suppress(FerryError):
            self._reservation.grow(size)
