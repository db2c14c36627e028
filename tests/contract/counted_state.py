"""A state store that counts the calls it gets, over another one."""

from collections.abc import AsyncIterator
from datetime import datetime

from providers.body import Body
from providers.parted_objects import Part, PartedObjects, PartedUpload
from providers.state import ObjectInfo, State


class CountedState:
    """Implements `State`. `calls` names each call and its object; one to `parted` counts too.

    Each is one round trip or more, depending on where the store is.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.calls: list[str] = []
        self.parted = _CountedParts(state.parted, self.calls)

    async def create(self, name: str, body: Body) -> bool:
        self.calls.append(f"create {name}")
        return await self._state.create(name, body)

    async def get(self, name: str) -> Body | None:
        self.calls.append(f"get {name}")
        return await self._state.get(name)

    async def head(self, name: str) -> ObjectInfo | None:
        self.calls.append(f"head {name}")
        return await self._state.head(name)

    async def delete(self, name: str) -> None:
        self.calls.append(f"delete {name}")
        await self._state.delete(name)

    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        self.calls.append(f"list {prefix}")
        return self._state.list(prefix)


class _CountedParts:
    """Implements `PartedObjects`."""

    def __init__(self, parted: PartedObjects, calls: list[str]) -> None:
        self._parted = parted
        self._calls = calls

    async def begin(self, name: str) -> PartedUpload:
        self._calls.append(f"begin {name}")
        return await self._parted.begin(name)

    async def put(self, upload: PartedUpload, number: int, body: Body) -> None:
        self._calls.append(f"put {upload.name} {number}")
        await self._parted.put(upload, number, body)

    def parts(self, upload: PartedUpload, after: int = 0) -> AsyncIterator[Part]:
        self._calls.append(f"parts {upload.name}")
        return self._parted.parts(upload, after)

    async def complete(self, upload: PartedUpload, size: int) -> None:
        self._calls.append(f"complete {upload.name}")
        await self._parted.complete(upload, size)

    async def abort(self, upload: PartedUpload) -> None:
        self._calls.append(f"abort {upload.name}")
        await self._parted.abort(upload)

    async def abort_before(self, time: datetime) -> None:
        self._calls.append("abort_before")
        await self._parted.abort_before(time)
