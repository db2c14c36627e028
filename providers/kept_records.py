"""Records of the state store that were read or written lately: the store is not asked again.

They are never changed. A replica that has read one may keep it after another has deleted it. So
this is only for records of what the provider, or a list of the store, has just shown, which it no
longer does then, and of an upload session that was just seen to be open: its records are deleted
after its end is recorded.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

import orjson

from providers.state import State, read_as, write

# Some MiB for each upstream.
MOST_KEPT: Final = 4096

T = TypeVar("T")


class KeptRecords(Generic[T]):
    """Records of type `model` by their ids; `name` is that of an id's object in the store."""

    def __init__(self, state: State, model: type[T], name: Callable[[str], str]) -> None:
        self._state = state
        self._model = model
        self._name = name
        self._kept: dict[str, T] = {}

    async def read(self, record_id: str) -> T | None:
        kept = self._kept.get(record_id)
        return kept if kept is not None else await self._read(record_id)

    async def read_all(self, record_ids: Sequence[str]) -> list[T | None]:
        """In the same order; those that are not kept are read at the same time."""
        found: dict[str, T | None] = {n: self._kept[n] for n in record_ids if n in self._kept}
        missing = [record_id for record_id in record_ids if record_id not in found]
        if missing:
            read = await asyncio.gather(*map(self._read, missing))
            found.update(zip(missing, read, strict=True))
        return [found[record_id] for record_id in record_ids]

    async def write(self, record_id: str, record: T) -> bool:
        """Whether it was written; False if there was one already."""
        first = await write(self._state, self._name(record_id), orjson.dumps(record))
        if first:
            self._keep(record_id, record)
        return first

    async def delete(self, record_id: str) -> None:
        self._kept.pop(record_id, None)
        await self._state.delete(self._name(record_id))

    async def _read(self, record_id: str) -> T | None:
        found = await read_as(self._state, self._name(record_id), self._model)
        if found is not None:
            self._keep(record_id, found)
        return found

    def _keep(self, record_id: str, record: T) -> None:
        self._kept[record_id] = record
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]  # the one that was kept first
