"""Waits with deadlines, one after another, that need only one timer.

`asyncio.timeout` sets and cancels a timer for each wait. Where bytes flow, that is one for each
read and one for each write.
"""

import asyncio
from math import inf
from types import TracebackType
from typing import Self


class TimedWaits:
    """Enter `within(seconds)` around each wait. Raises TimeoutError, as `asyncio.timeout` does.

    The timer is left running between waits. When it fires, it looks whether a wait is open, and
    whether it is too long.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Handle | None = None
        self._fires = inf
        self._until = inf
        self._waiting: asyncio.Task[object] | None = None
        self._cancelled_before = 0
        self._expired = False

    def within(self, seconds: float) -> Self:
        self._until = self._loop.time() + seconds
        return self

    def stop(self) -> None:
        """Ends the timer. The next wait sets it again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can wait")
        self._waiting, self._cancelled_before = task, task.cancelling()
        if self._timer is None or self._until < self._fires:
            self._set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        task, self._waiting = self._waiting, None
        if self._expired and task is not None:
            self._expired = False
            if task.uncancel() <= self._cancelled_before and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _set(self) -> None:
        self.stop()
        self._fires = self._until
        # A timer that is due would be run after the tasks that are ready, one of which may be ours.
        if self._until <= self._loop.time():
            self._timer = self._loop.call_soon(self._look)
        else:
            self._timer = self._loop.call_at(self._until, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        if self._until > self._loop.time():
            self._set()
            return
        self._expired = True
        self._waiting.cancel()
