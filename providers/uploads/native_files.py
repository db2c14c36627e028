"""Files that the provider itself keeps, lists and deletes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol

import orjson

from providers.credential import Caller
from providers.json_api.answer_shape import count_or_none
from providers.json_api.client import Answer, JsonApi
from providers.json_api.redaction import without_secret
from providers.json_api.unix_time import from_unix
from providers.kept_records import KeptRecords
from providers.resource_names import native_file_id, parse_file_id
from providers.resources import Download, File, FileState, Page
from providers.state import State, write
from providers.stored_objects import FILES


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the provider has no field for. `session` is the upload session that made the file."""

    session: str
    display_name: str = ""
    mime_type: str = ""


class FileRecords:
    """The records of the files at one upstream, by native id."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state
        self._kept = KeptRecords(state, FileRecord, self._name)

    async def read(self, native_id: str) -> FileRecord | None:
        """None for a file that another tool uploaded."""
        return await self._kept.read(native_id)

    async def read_all(self, listed: Sequence[Answer]) -> list[FileRecord | None]:
        """Those of `listed`, in the same order."""
        return await self._kept.read_all([native.id for native in listed])

    async def write(self, native_id: str, record: FileRecord) -> None:
        known = {name: value for name, value in asdict(record).items() if value}
        await write(self._state, self._name(native_id), orjson.dumps(known))

    async def delete(self, native_id: str) -> None:
        await self._kept.delete(native_id)

    def _name(self, native_id: str) -> str:
        return FILES.name(self._upstream, native_file_id(native_id))


def file_of(
    native: Answer,
    names: FileRecord,
    *,
    downloadable: bool,
    unread: bool = False,
    failure: str | None = None,
) -> File:
    """Read a file object whose times are in Unix seconds. `unread`: the provider still reads it."""
    usable = FileState.PROCESSING if unread else FileState.ACTIVE
    return File(
        id=native_file_id(native.id),
        display_name=names.display_name or None,
        mime_type=names.mime_type or None,
        size=count_or_none(native.get("bytes")),
        create_time=from_unix(native.get("created_at")),
        expiration_time=from_unix(native.get("expires_at")),
        state=usable if failure is None else FileState.FAILED,
        error=failure,
        downloadable=downloadable,
    )


class FileList(Protocol):
    """A provider's files; `path` is that of the list."""

    path: str

    def file(self, native: Answer, record: FileRecord | None) -> File:
        """A file with its record; without one, its display name is its name at the provider."""

    async def page(
        self, caller: Caller, page_size: int, page_token: str | None
    ) -> tuple[list[Answer], str | None]:
        """The files that clients see, newest first, and the token of the next page."""


class NativeFiles:
    """Implements `providers.batches.files_with_results.StoredFiles`."""

    def __init__(self, client: JsonApi, records: FileRecords, files: FileList) -> None:
        self._client = client
        self._records = records
        self._files = files

    async def get(self, caller: Caller, file_id: str) -> File:
        native_id = parse_file_id(file_id).native
        native = await self._client.get(caller, f"{self._files.path}/{native_id}")
        return self._file(caller, native, await self._records.read(native_id))

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[File]:
        listed, token = await self._files.page(caller, page_size, page_token)
        records = await self._records.read_all(listed)
        both = zip(listed, records, strict=True)
        files = [self._file(caller, native, record) for native, record in both]
        return Page(files, token)

    async def delete(self, caller: Caller, file_id: str) -> None:
        native_id = parse_file_id(file_id).native
        await self._client.delete(caller, f"{self._files.path}/{native_id}")
        await self._records.delete(native_id)

    async def download(self, caller: Caller, file_id: str) -> Download:
        native_id = parse_file_id(file_id).native
        return await self._client.download(caller, f"{self._files.path}/{native_id}/content")

    def _file(self, caller: Caller, native: Answer, record: FileRecord | None) -> File:
        file = self._files.file(native, record)
        return replace(file, error=without_secret(file.error, caller)) if file.error else file
