"""What a user without special rights would see."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

UNPRIVILEGED_USER = 65534


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root ignores permissions, so it acts as another user here."""
    if os.geteuid():
        yield
        return
    os.seteuid(UNPRIVILEGED_USER)
    try:
        yield
    finally:
        os.seteuid(0)
