"""Stores the metadata of batches for servers that keep none. OpenAI keeps it; others may not."""

from collections.abc import Mapping

import orjson

from providers.batches.file_batches.metadata import JOB, metadata_of
from providers.json_api.client import Answer
from providers.resource_names import FileId, FileKind
from providers.state import State, read_as, write
from providers.stored_objects import METADATA


class StoredMetadata:
    """The metadata of one upstream's batches, read only for a batch that the upstream returned."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state

    async def store(self, native: Answer, metadata: Mapping[str, str]) -> Answer:
        """The batch with `metadata`, which is stored here if the server dropped it."""
        if metadata_of(native).get(JOB) == metadata[JOB]:
            return native
        await write(self._state, self._name(native), orjson.dumps(metadata))
        return Answer({**native, "metadata": metadata})

    async def restored(self, native: Answer) -> Answer:
        if metadata_of(native):
            return native
        metadata = await read_as(self._state, self._name(native), dict[str, str])
        return native if metadata is None else Answer({**native, "metadata": metadata})

    async def delete(self, native: Answer) -> None:
        await self._state.delete(self._name(native))

    def _name(self, native: Answer) -> str:
        return METADATA.name(self._upstream, str(FileId(FileKind.RESULTS, native.id)))
