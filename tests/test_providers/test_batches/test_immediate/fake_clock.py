"""A clock that a test moves."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from providers.batches.immediate.clock import Clock

# More turns of the loop than any work here takes without waiting for time or for a test.
_TURNS = 10_000
_TURNS_TO_SETTLE = 200


async def until(reached: Callable[[], bool]) -> None:
    for _ in range(_TURNS):
        if reached():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


async def settle() -> None:
    """Lets all work continue that waits neither for time nor for a test."""
    for _ in range(_TURNS_TO_SETTLE):
        await asyncio.sleep(0)


class FakeClock(Clock):
    """Time passes only in `pass_time`."""

    def __init__(self) -> None:
        self._seconds = 1000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    async def wait(self, seconds: float) -> None:
        sleeper = (self._seconds + seconds, asyncio.get_running_loop().create_future())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1]
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    def leap(self, seconds: float) -> None:
        """Time passes without any timer: the machine slept."""
        self._seconds += seconds

    async def pass_time(self, seconds: float) -> None:
        end = self._seconds + seconds
        while True:
            await settle()
            due = min((s for s in self._sleepers if s[0] <= end), default=None, key=lambda s: s[0])
            if due is None:
                break
            self._sleepers.remove(due)
            self._seconds = max(self._seconds, due[0])
            due[1].set_result(None)
        self._seconds = end
        await settle()
