"""A place outside the memory for a checked and translated input, until it is sent.

What does not fit is read and translated a second time instead, so nothing fails without space.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeAlias


class Spool(Protocol):
    async def write(self, piece: bytes, /) -> bool:
        """Append `piece`; False, with nothing changed, if there is no space for it."""

    def read(self) -> AsyncIterator[bytes]:
        """Everything that was written, from its beginning. Raises StateError."""

    async def clear(self) -> None:
        """Remove everything that was written."""


OpenSpool: TypeAlias = Callable[[], AbstractAsyncContextManager[Spool]]
"""An empty spool, which is removed at the end of the block."""


class NoSpool:
    """Implements `Spool` where there is no space."""

    async def write(self, _: bytes, /) -> bool:
        return False

    async def read(self) -> AsyncIterator[bytes]:
        return
        yield

    async def clear(self) -> None:
        pass


@asynccontextmanager
async def no_spool() -> AsyncIterator[Spool]:
    yield NoSpool()
