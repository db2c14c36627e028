"""Runs code as a user without special rights."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

UNPRIVILEGED_USER = 65534


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root ignores permissions, so it becomes another user."""
    if os.geteuid():
        yield
        return
    os.seteuid(UNPRIVILEGED_USER)
    try:
        yield
    finally:
        os.seteuid(0)
