"""Reads and writes the disk, which blocks, in threads, one slice at a time."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, Final, ParamSpec, TypeVar

from providers.long_work import NoThread, run_in

SLICE_BYTES: Final = 256 << 10

# Separate threads: if the disk hangs, the loop's own threads can still resolve host names.
_DISK: Final = ThreadPoolExecutor(16, thread_name_prefix="disk")

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs a blocking function. Even if cancelled, it waits for the thread, so that the caller
    can close files safely. Raises OSError if no thread can be started.
    """
    return await run_in(_DISK, function, *args, **kwargs)


async def surely_in_thread(function: Callable[[], None]) -> None:
    """As `in_thread`, but if it is cancelled, a call that waits for a thread is carried out too."""
    try:
        work = asyncio.wrap_future(_DISK.submit(function))
    except RuntimeError as error:
        raise NoThread from error
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


async def in_slices(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Joins small chunks, since each slice costs a thread switch; yields at least one slice."""
    pending: list[bytes] = []
    size = 0
    async for chunk in chunks:
        pending.append(chunk)
        size += len(chunk)
        if size >= SLICE_BYTES:
            yield b"".join(pending)
            pending.clear()
            size = 0
    yield b"".join(pending)


async def slices_of(file: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await in_thread(file.read, SLICE_BYTES):
        yield piece
