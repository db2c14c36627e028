"""The state store: write-once objects that all replicas share, for what no provider stores."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from providers.body import Body, in_memory, read_up_to
from providers.errors import FerryError
from providers.limits import STATE_RECORD
from providers.multipart_uploads import MultipartUploads
from providers.status import Status

T = TypeVar("T")


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
    def multipart(self) -> MultipartUploads:
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

    def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        """Every object whose name starts with `prefix` and comes after `after`, ordered by name."""


async def read(state: State, name: str, limit: int = STATE_RECORD) -> bytes | None:
    """The content of a small object. Raises StateError for one of more than `limit` bytes."""
    body = await state.get(name)
    if body is None:
        return None
    data = await read_up_to(body.chunks, limit)
    if data is None:
        raise damaged()
    return data


async def read_as(state: State, name: str, model: type[T]) -> T | None:
    """A small object that was written as JSON of `model`, a dataclass or a type of JSON values.

    Raises StateError for other content. Members that the model lacks are ignored: a later version
    may have written them.
    """
    data = await read(state, name)
    return None if data is None else parse_as(data, model)


def parse_as(data: bytes, model: type[T]) -> T:
    """Raises StateError."""
    key: Any = model
    try:
        parsed: T = _adapter(key).validate_json(data)
    except ValidationError:  # it would quote the content
        raise damaged() from None
    return parsed


def damaged() -> StateError:
    """For an object with other content than the proxy writes. Neither is quoted."""
    return StateError(
        Status.FAILED_PRECONDITION,
        "an object in the proxy's state store is not what the proxy writes there; the operator "
        "must restore it or delete it",
    )


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


async def write(state: State, name: str, data: bytes) -> bool:
    return await state.create(name, in_memory(data))
