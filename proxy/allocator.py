"""Makes glibc's allocator keep freed memory that streams will need again, for a while."""

import asyncio
import ctypes
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from proxy.background import beside
from proxy.threads import in_thread

# Options of glibc's malloc.h; values in bytes, as measured (streaming.md section 2): each read
# allocates 256 KiB, which otherwise costs a page fault for every 4 KiB of every stream.
_OPTIONS: Final = {
    "M_MMAP_THRESHOLD": (-3, 16 << 20),
    "M_TRIM_THRESHOLD": (-1, 64 << 20),
    "M_TOP_PAD": (-2, 4 << 20),
    # One arena: memory that threads of the state store allocate is freed by the event loop's
    # thread, and with an arena for each thread 64 staged uploads take 54 MiB more
    # (`make bench-memory`).
    "M_ARENA_MAX": (-8, 1),
}


_GIVE_BACK_SECONDS: Final = 60.0


def keep_freed_memory() -> bool:
    """Whether the allocator accepted it; only glibc's is changed."""
    libc = _glibc()
    if libc is None:
        return False
    accepted = [libc.mallopt(option, size) for option, size in _OPTIONS.values()]
    return all(accepted)


async def giving_back(_: web.Application) -> AsyncIterator[None]:
    """For `app.cleanup_ctx`: gives freed memory back to the system from time to time."""
    async with beside(_give_back_periodically()):
        yield


def give_back() -> None:
    """Also what lies between objects in use: after 60,000 requests of all sizes that was 40 MiB."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(ctypes.c_size_t(0))


async def _give_back_periodically() -> None:
    while True:
        await asyncio.sleep(_GIVE_BACK_SECONDS)
        await in_thread(give_back)


def _glibc() -> "ctypes.CDLL | None":
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "gnu_get_libc_version") else None
