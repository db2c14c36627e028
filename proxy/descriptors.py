"""The operating system's limit of open files and sockets of this process."""

import resource
from contextlib import suppress
from math import inf
from typing import Final

# For health, the admin address, the log, the state store and connections that wait for their end.
RESERVED: Final = 192
# A client's connection, and one to its provider.
_FOR_EACH_CONNECTION: Final = 2


def raise_descriptor_limit() -> None:
    """Raises the soft limit, often 1024, to what this process may have at most."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS reports no hard limit, but has one
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections_possible() -> float:
    """How many clients can be connected."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return inf
    return max(1, (soft - RESERVED) // _FOR_EACH_CONNECTION)
