"""Files that the provider itself keeps, lists and deletes."""

import asyncio
from typing import Protocol

from providers.credential import Caller
from providers.json_api.client import Answer, JsonApi
from providers.resource_names import parse_file_id
from providers.resources import Download, File, Page
from providers.uploads.file_records import FileRecord, FileRecords


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
        return self._files.file(native, await self._records.read(native_id))

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[File]:
        listed, token = await self._files.page(caller, page_size, page_token)
        records = await asyncio.gather(*(self._records.read(native.id) for native in listed))
        files = [self._files.file(n, record) for n, record in zip(listed, records, strict=True)]
        return Page(files, token)

    async def delete(self, caller: Caller, file_id: str) -> None:
        native_id = parse_file_id(file_id).native
        await self._client.delete(caller, f"{self._files.path}/{native_id}")
        await self._records.delete(native_id)

    async def download(self, caller: Caller, file_id: str) -> Download:
        native_id = parse_file_id(file_id).native
        return await self._client.download(caller, f"{self._files.path}/{native_id}/content")
