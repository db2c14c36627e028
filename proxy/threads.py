"""Reads and writes the disk, which blocks, in threads, one slice at a time."""

import asyncio
import errno
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import BinaryIO, Final, ParamSpec, TypeVar

SLICE_BYTES: Final = 256 << 10

# Separate threads: if the disk hangs, the loop's own threads can still resolve host names.
_DISK: Final = ThreadPoolExecutor(16, thread_name_prefix="disk")

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs a blocking function. Even if cancelled, it waits for the thread, so that the caller
    can close files safely. Raises OSError if no thread can be started.
    """
    try:
        job = _DISK.submit(partial(function, *args, **kwargs))
    except RuntimeError as error:  # the system or the container allows no further thread
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error
    work = asyncio.wrap_future(job)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if not job.cancel():  # it has begun
            await asyncio.wait([work])
            if not work.cancelled():
                work.exception()
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
