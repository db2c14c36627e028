"""Makes glibc's allocator keep freed memory that streams will need again."""

import ctypes
from typing import Final

# Options of glibc's malloc.h; values in bytes, as measured (streaming.md section 2): each read
# allocates 256 KiB, which otherwise costs a page fault for every 4 KiB of every stream.
_OPTIONS: Final = {
    "M_MMAP_THRESHOLD": (-3, 16 << 20),
    "M_TRIM_THRESHOLD": (-1, 64 << 20),
    "M_TOP_PAD": (-2, 4 << 20),
    # One arena: memory that threads of the state store allocate is freed by the event loop's
    # thread, and with an arena for each thread 64 staged uploads take 54 MiB more (`make bench`).
    "M_ARENA_MAX": (-8, 1),
}


def keep_freed_memory() -> bool:
    """Whether the allocator accepted it; only glibc's is changed."""
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return False
    accepted = [libc.mallopt(option, size) for option, size in _OPTIONS.values()]
    return all(accepted)
