"""Tells glibc's allocator to keep what a stream is about to ask for again."""

import ctypes
from typing import Final

# Of glibc's malloc.h; values in bytes, as measured (streaming.md section 2): each
# read allocates 256 KiB, which else costs a page fault for every 4 KiB of every stream.
_OPTIONS: Final = {
    "M_MMAP_THRESHOLD": (-3, 16 << 20),
    "M_TRIM_THRESHOLD": (-1, 64 << 20),
    "M_TOP_PAD": (-2, 4 << 20),
    # What a thread of the state store allocates is freed by the event loop's, and would pile up in
    # an arena of each thread: 54 MiB more for 64 staged uploads (`make bench`).
    "M_ARENA_MAX": (-8, 1),
}


def keep_freed_memory() -> bool:
    """Whether the allocator took it: glibc's only, any other is left as it is."""
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return False
    accepted = [libc.mallopt(option, size) for option, size in _OPTIONS.values()]
    return all(accepted)
