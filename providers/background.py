"""Work that outlives the request that began it."""

from collections.abc import Awaitable, Callable
from typing import Protocol


class Background(Protocol):
    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work()` beside the requests; nothing happens while work of that name is running.

        It is cancelled, and waited for, when the application ends. What it raises ends only it.
        """
