"""The state store: write-once objects that all replicas share, for what no provider stores."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from providers.body import Body, in_memory, read_up_to
from providers.errors import FerryError
from providers.parted_objects import PartedObjects


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """`size` in bytes; `created` in UTC."""

    name: str
    size: int
    created: datetime


class StateError(FerryError):
    """The state store failed. The error names no provider, because none is at fault."""


class State(Protocol):
    """A small object store. Names are `[a-z0-9._-]+` segments joined by `/`.

    An object appears complete or not at all, and is never changed afterwards.
    """

    @property
    def parted(self) -> PartedObjects:
        """For objects that are uploaded in parts."""

    async def create(self, name: str, body: Body) -> bool:
        """Write an object; False, with nothing changed, if the name already exists.

        An error of `body` passes through, and then nothing was created.
        """

    async def get(self, name: str) -> Body | None:
        """The object as a stream of known length, or None."""

    async def head(self, name: str) -> ObjectInfo | None: ...

    async def delete(self, name: str) -> None:
        """Delete the object if it exists."""

    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Every object whose name starts with `prefix`, ordered by name."""


async def read(state: State, name: str, limit: int = 1 << 20) -> bytes | None:
    """The content of a small object. Raises ValueError for one of more than `limit` bytes."""
    body = await state.get(name)
    if body is None:
        return None
    data = await read_up_to(body.chunks, limit)
    if data is None:
        raise ValueError(f"the object {name} is larger than {limit} bytes")
    return data


async def write(state: State, name: str, data: bytes) -> bool:
    return await state.create(name, in_memory(data))
