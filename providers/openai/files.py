"""Files at OpenAI."""

import asyncio
from collections.abc import Sequence

from providers.credential import Caller
from providers.json_api.client import Answer, JsonApi
from providers.openai.file_naming import is_listed
from providers.openai.file_records import from_openai_file
from providers.openai.pages import filled_page
from providers.resource_names import parse_file_id
from providers.resources import Download, File, Page
from providers.uploads.file_records import FileRecords


class OpenAIFiles:
    """Implements `providers.batches.files_with_results.StoredFiles`."""

    def __init__(self, client: JsonApi, records: FileRecords) -> None:
        self._client = client
        self._records = records

    async def get(self, caller: Caller, file_id: str) -> File:
        native_id = parse_file_id(file_id).native
        native = await self._client.get(caller, f"files/{native_id}")
        return from_openai_file(native, await self._records.read(native_id))

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[File]:
        listed, token = await filled_page(
            self._client, caller, "files", page_size, page_token, _user_files, order="desc"
        )
        records = await asyncio.gather(*(self._records.read(native.id) for native in listed))
        files = [from_openai_file(n, record) for n, record in zip(listed, records, strict=True)]
        return Page(files, token)

    async def delete(self, caller: Caller, file_id: str) -> None:
        native_id = parse_file_id(file_id).native
        await self._client.delete(caller, f"files/{native_id}")
        await self._records.delete(native_id)

    async def download(self, caller: Caller, file_id: str) -> Download:
        return await self._client.download(caller, f"files/{parse_file_id(file_id).native}/content")


async def _user_files(listed: Sequence[Answer]) -> list[Answer]:
    return [native for native in listed if is_listed(native)]
