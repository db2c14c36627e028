"""Background tasks, which run beside the requests and end with the application."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from typing import Any, Final

from aiohttp import web

# A cancelled task may still have to write to the state store.
STOP_SECONDS: Final = 10.0

_log: Final = logging.getLogger(__name__)


class BackgroundTasks:
    """Implements `Background` for providers; `running` is for `app.cleanup_ctx`.

    The server calls `prepare_to_end` during the drain, before the application ends.

    Work that is started before the application starts together with it; work that is started after
    its end never runs.
    """

    def __init__(self, stop_seconds: float = STOP_SECONDS) -> None:
        self._stop_seconds = stop_seconds
        self._waiting: dict[str, Callable[[], Awaitable[None]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._before_end: list[Callable[[], Awaitable[None]]] = []
        self._begun = self._ended = False

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        if self._ended or name in self._tasks:
            return
        if not self._begun:
            self._waiting.setdefault(name, work)
            return
        # In a context of its own, since the request that started it may end earlier.
        task = asyncio.create_task(_run_logged(name, work), name=name, context=Context())
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name))

    def before_end(self, prepare: Callable[[], Awaitable[None]]) -> None:
        self._before_end.append(prepare)

    async def prepare_to_end(self, seconds: float) -> None:
        """Gives the work up to `seconds` to end by itself."""
        prepared = (_run_logged("the end of background work", p) for p in self._before_end)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*prepared)

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        """Append it last: then it ends first, while the work can still use the other contexts."""
        self._begun = True
        for name, work in self._waiting.items():
            self.start(name, work)
        self._waiting.clear()
        yield
        await self._stop()

    async def _stop(self) -> None:
        self._ended = True
        tasks = set(self._tasks.values())
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _, unfinished = await asyncio.wait(tasks, timeout=self._stop_seconds)
        for task in unfinished:
            _log.warning("%s did not end in time", task.get_name())


@asynccontextmanager
async def beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs `work` within the block, and ends it with the block."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


# The application's background tasks, for the server.
BACKGROUND: Final = web.AppKey("background", BackgroundTasks)


async def _run_logged(name: str, work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Exception as error:  # any error ends only this work
        # Only the types are logged: a message may contain a secret.
        _log.warning("%s failed: %s", name, ", ".join(sorted(set(_types(error)))))


def _types(error: BaseException) -> Iterator[str]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _types(inner)
    else:
        yield type(error).__name__
