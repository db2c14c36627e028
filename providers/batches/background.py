"""Work that outlives the request that began it."""

from collections.abc import Awaitable, Callable
from typing import Protocol


class Background(Protocol):
    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work()` beside the requests; nothing happens while work of that name is running.

        It is cancelled, and waited for, when the application ends. What it raises ends only it.
        """

    def before_end(self, prepare: Callable[[], Awaitable[None]]) -> None:
        """Have `prepare()` run when the application is to end, for as long as its drain may take.

        What goes on when it has returned, or when the time is over, is cancelled.
        """
