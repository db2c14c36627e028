"""The disk blocks: it is read and written in threads, a slice at a time."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import BinaryIO, Final, ParamSpec, TypeVar

SLICE_BYTES: Final = 256 << 10

# Threads of its own: if a disk hangs, the loop's own threads still resolve names of upstreams.
_DISK: Final = ThreadPoolExecutor(16, thread_name_prefix="disk")

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what blocks. Ends only when the thread has, also if cancelled: files get closed after."""
    job = _DISK.submit(partial(function, *args, **kwargs))
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
    """Gathers small chunks, as each slice costs a change of thread; one slice at least."""
    held: list[bytes] = []
    size = 0
    async for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= SLICE_BYTES:
            yield b"".join(held)
            held.clear()
            size = 0
    yield b"".join(held)


async def slices_of(file: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await in_thread(file.read, SLICE_BYTES):
        yield piece
