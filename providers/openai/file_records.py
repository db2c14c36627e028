"""OpenAI's file objects to ours, with the names that OpenAI has no field for."""

from collections.abc import Mapping
from datetime import UTC, datetime

import orjson

from providers.openai.client import Answer
from providers.resource_names import FileId, FileKind
from providers.resources import File, FileState
from providers.state import State, read, write


def file_id(native: str) -> str:
    return str(FileId(FileKind.NATIVE, native))


def from_openai_file(native: Answer, record: Mapping[str, str] | None) -> File:
    """A file object (openai.md section 2); without a record its file name is its display name.

    Its content type comes from the record alone, and so is absent for files of other tools.
    """
    names = record if record is not None else {"display_name": str(native.get("filename", ""))}
    failed = native.get("status") == "error"
    size = native.get("bytes")
    return File(
        id=file_id(native.id),
        display_name=names.get("display_name") or None,
        mime_type=names.get("mime_type") or None,
        size=size if isinstance(size, int) else None,
        create_time=from_unix(native.get("created_at")),
        expiration_time=from_unix(native.get("expires_at")),
        state=FileState.FAILED if failed else FileState.ACTIVE,
        error=str(native.get("status_details") or "the provider says: error") if failed else None,
        downloadable=native.get("purpose") in ("batch", "batch_output"),
    )


def from_unix(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


class FileRecords:
    """The display name, content type and session of each file that was uploaded through us."""

    def __init__(self, upstream: str, state: State) -> None:
        self._prefix = f"files/{upstream}"
        self._state = state

    async def read(self, native_id: str) -> dict[str, str] | None:
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
        return f"{self._prefix}/{file_id(native_id)}"
