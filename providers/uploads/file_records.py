"""What the provider has no field for, of files that were uploaded through the proxy."""

from collections.abc import Mapping

import orjson

from providers.resource_names import native_file_id
from providers.state import State, read, write
from providers.stored_objects import FILES


class FileRecords:
    """Display name, content type and upload session of the files at one upstream, by native id."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state

    async def read(self, native_id: str) -> dict[str, str] | None:
        """None for a file that another tool uploaded."""
        data = await read(self._state, self._name(native_id))
        return None if data is None else orjson.loads(data)

    async def write(self, native_id: str, session: str, details: Mapping[str, str]) -> None:
        record = {k: details[k] for k in ("display_name", "mime_type") if k in details}
        await write(
            self._state, self._name(native_id), orjson.dumps({**record, "session": session})
        )

    async def delete(self, native_id: str) -> None:
        await self._state.delete(self._name(native_id))

    def _name(self, native_id: str) -> str:
        return FILES.name(self._upstream, native_file_id(native_id))
