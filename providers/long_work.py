"""Work that would hold the event loop too long: in a thread, or with pauses."""

import asyncio
import errno
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import Final, ParamSpec, TypeVar

from providers.errors import unavailable

# One thread: Python runs one at a time and switches every 5 ms, so more would be no faster, and the
# event loop would wait for each of them.
_WORKER: Final = ThreadPoolExecutor(1, thread_name_prefix="work")
_PAUSE_SECONDS: Final = 0.003
_LONG_TEXT_BYTES: Final = 64 << 10

P = ParamSpec("P")
T = TypeVar("T")


class NoThread(OSError):
    """The system or the container allows no further thread."""

    def __init__(self) -> None:
        super().__init__(errno.EAGAIN, "no thread can be started")


async def run_in(
    threads: Executor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Even if cancelled, it waits for the thread: then the caller can release what it used."""
    loop = asyncio.get_running_loop()
    # `wrap_future` and `shield` take a third more CPU time for a short call, such as a stat.
    result: asyncio.Future[T] = loop.create_future()
    try:
        job = threads.submit(partial(function, *args, **kwargs))
    except RuntimeError as error:
        raise NoThread from error
    job.add_done_callback(partial(_hand_over, loop, result))
    try:
        return await result
    except asyncio.CancelledError:
        if not job.cancel():  # it has begun
            work = asyncio.wrap_future(job)
            await asyncio.wait([work])
            if not work.cancelled():
                work.exception()
        raise


def _hand_over(loop: asyncio.AbstractEventLoop, result: asyncio.Future[T], job: Future[T]) -> None:
    """In the thread, or in the loop if the job is cancelled."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(_settle, result, job)


def _settle(result: asyncio.Future[T], job: Future[T]) -> None:
    if result.done():  # the wait for it was cancelled
        return
    error = job.exception()
    if error is None:
        result.set_result(job.result())
    else:
        result.set_exception(error)


async def off_loop(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """For work that takes long because of its size, such as the translation of a long line."""
    try:
        return await run_in(_WORKER, function, *args, **kwargs)
    except NoThread:
        raise unavailable("the proxy cannot start a thread now; try again in a moment") from None


async def off_loop_if_long(
    text: bytes, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """For parsing or writing `text`, which takes less than 5 ms if it is not long."""
    if len(text) <= _LONG_TEXT_BYTES:
        return function(*args, **kwargs)
    return await off_loop(function, *args, **kwargs)


class Pauses:
    """Lets other tasks run between the steps of long work."""

    def __init__(self) -> None:
        self._since = monotonic()

    def due(self) -> bool:
        """Whether the last pause was more than 3 ms ago."""
        return monotonic() - self._since > _PAUSE_SECONDS

    async def pause(self) -> None:
        """Returns at once if no pause is due."""
        if self.due():
            await asyncio.sleep(0)
            self._since = monotonic()
