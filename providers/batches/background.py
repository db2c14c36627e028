"""Work that continues after the request that started it."""

from collections.abc import Awaitable, Callable
from typing import Protocol


class Background(Protocol):
    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work()` in the background, unless work of that name is already running.

        When the application ends, it is cancelled and waited for. An error ends only this work.
        """

    def before_end(self, prepare: Callable[[], Awaitable[None]]) -> None:
        """Run `prepare()` before the application ends, within the time for draining.

        When it has returned, or the time is over, the work that still runs is cancelled.
        """
