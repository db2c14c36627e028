"""A state store in memory, as strict as the stores of the proxy."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from providers.body import Body, TruncatedBody, in_memory
from providers.state import ObjectInfo
from proxy.object_names import check_name, check_prefix
from proxy.parts_as_objects import PartsAsObjects


@dataclass(frozen=True, slots=True)
class _Object:
    data: bytes = field(repr=False)
    created: datetime


class MemoryState:
    """Implements `State`. Tests can read `objects`: the names with their bytes."""

    def __init__(self) -> None:
        self._objects: dict[str, _Object] = {}
        self.multipart = PartsAsObjects(self)

    def age(self, by: timedelta) -> None:
        """Makes every object older."""
        for name, kept in self._objects.items():
            self._objects[name] = replace(kept, created=kept.created - by)

    @property
    def objects(self) -> dict[str, bytes]:
        return {name: kept.data for name, kept in sorted(self._objects.items())}

    async def create(self, name: str, body: Body) -> bool:
        check_name(name)
        data = b"".join([chunk async for chunk in body.chunks])
        if body.length not in (None, len(data)):
            raise TruncatedBody(f"{len(data)} bytes came, {body.length} were declared")
        # Checked after the body was read: the first create that finishes wins.
        if name in self._objects:
            return False
        self._objects[name] = _Object(data, datetime.now(UTC))
        return True

    async def get(self, name: str) -> Body | None:
        check_name(name)
        kept = self._objects.get(name)
        return None if kept is None else in_memory(kept.data)

    async def head(self, name: str) -> ObjectInfo | None:
        check_name(name)
        kept = self._objects.get(name)
        return None if kept is None else ObjectInfo(name, len(kept.data), kept.created)

    async def delete(self, name: str) -> None:
        check_name(name)
        self._objects.pop(name, None)

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        check_prefix(prefix)
        for name in sorted(self._objects):
            if name > after and name.startswith(prefix) and (info := await self.head(name)):
                yield info
