"""What the provider has no field for, of files that were uploaded through the proxy."""

from dataclasses import asdict, dataclass

import orjson

from providers.resource_names import native_file_id
from providers.state import State, read_as, write
from providers.stored_objects import FILES


@dataclass(frozen=True, slots=True)
class FileRecord:
    """`session` is the id of the upload session that made the file."""

    session: str
    display_name: str = ""
    mime_type: str = ""


class FileRecords:
    """The records of the files at one upstream, by native id."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state

    async def read(self, native_id: str) -> FileRecord | None:
        """None for a file that another tool uploaded."""
        return await read_as(self._state, self._name(native_id), FileRecord)

    async def write(self, native_id: str, record: FileRecord) -> None:
        known = {name: value for name, value in asdict(record).items() if value}
        await write(self._state, self._name(native_id), orjson.dumps(known))

    async def delete(self, native_id: str) -> None:
        await self._state.delete(self._name(native_id))

    def _name(self, native_id: str) -> str:
        return FILES.name(self._upstream, native_file_id(native_id))
