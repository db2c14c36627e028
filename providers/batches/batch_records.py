"""What a provider does not store about a batch: its model, its names, its request table."""

from collections.abc import Mapping

import orjson

from providers.resource_names import FileId, FileKind
from providers.state import State, read, write
from providers.stored_objects import RECORDS


class BatchRecords:
    """What a creation gave, stored under an id that the provider shows before it is read."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state

    async def write(self, batch_id: str, record: Mapping[str, str]) -> None:
        await write(self._state, self._name(batch_id), orjson.dumps(record))

    async def read(self, batch_id: str) -> dict[str, str]:
        """Empty for a batch that another tool created."""
        data = await read(self._state, self._name(batch_id))
        return {} if data is None else orjson.loads(data)

    async def delete(self, batch_id: str) -> None:
        await self._state.delete(self._name(batch_id))

    def _name(self, batch_id: str) -> str:
        return RECORDS.name(self._upstream, str(FileId(FileKind.RESULTS, batch_id)))
