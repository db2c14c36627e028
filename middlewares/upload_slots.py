"""The limit of uploads that move bytes at the same time: each takes buffers and a connection."""

from collections.abc import Iterator
from contextlib import contextmanager

from providers.errors import resource_exhausted


class UploadSlots:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._moving = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raises RESOURCE_EXHAUSTED if no slot is free."""
        if self._moving >= self._limit:
            raise resource_exhausted(
                f"too many uploads at once: FERRY_MAX_UPLOADS is {self._limit}; send it again later"
            )
        self._moving += 1
        try:
            yield
        finally:
            self._moving -= 1
