"""State stores with some of the behaviour of real ones."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime

from providers.body import Body
from providers.state import ObjectInfo, State
from tests.memory_state import MemoryState


class Dated(MemoryState):
    """A store that sets the dates of its objects by the last segment of their names."""

    def __init__(self, created: Mapping[str, datetime]) -> None:
        super().__init__()
        self._created = created

    async def head(self, name: str) -> ObjectInfo | None:
        info = await super().head(name)
        created = self._created.get(name.rpartition("/")[2])
        return replace(info, created=created) if info and created else info


class Mortal:
    """A state store as one process sees it; while `away`, no call reaches the store.

    It becomes `away` when an object with `last` in its name is created."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.away = False
        self.last: str | None = None
        self.read: list[str] = []
        self.listed: list[str] = []
        self.multipart = state.multipart

    async def create(self, name: str, body: Body) -> bool:
        self.away |= self.last is not None and self.last in name
        self._check()
        return await self._state.create(name, body)

    async def get(self, name: str) -> Body | None:
        self._check()
        self.read.append(name)
        return await self._state.get(name)

    async def head(self, name: str) -> ObjectInfo | None:
        self._check()
        return await self._state.head(name)

    async def delete(self, name: str) -> None:
        self._check()
        await self._state.delete(name)

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        self._check()
        self.listed.append(prefix)
        async for info in self._state.list(prefix, after):
            yield info

    def _check(self) -> None:
        if self.away:
            raise OSError("away")


class Yielding(MemoryState):
    """A store whose answers take a turn of the loop, like those of a real one."""

    async def create(self, name: str, body: Body) -> bool:
        await asyncio.sleep(0)
        return await super().create(name, body)

    async def get(self, name: str) -> Body | None:
        await asyncio.sleep(0)
        return await super().get(name)

    async def head(self, name: str) -> ObjectInfo | None:
        await asyncio.sleep(0)
        return await super().head(name)
