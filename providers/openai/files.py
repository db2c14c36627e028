"""Files at OpenAI."""

import asyncio
from collections.abc import Sequence

from providers.batches.batch_results import result_file
from providers.batches.target_batches import TargetBatches
from providers.body import Body
from providers.credential import Caller
from providers.json_api.client import Answer, JsonApi
from providers.openai.file_naming import is_listed
from providers.openai.file_records import from_openai_file
from providers.openai.pages import filled_page
from providers.resource_names import FileKind, parse_file_id
from providers.resources import Download, File, Page, ResultForm
from providers.upload import UploadStart
from providers.uploads.file_records import FileRecords
from providers.uploads.resumable import ResumableUploads


class OpenAIFiles:
    """Implements `providers.provider.Files`; a batch's results are files too."""

    def __init__(
        self,
        client: JsonApi,
        records: FileRecords,
        batches: TargetBatches,
        uploads: ResumableUploads,
    ) -> None:
        self._client = client
        self._records = records
        self._batches = batches
        self._uploads = uploads

    async def create(self, caller: Caller, session_id: str, start: UploadStart, body: Body) -> File:
        return await self._uploads.create(caller, session_id, start, body)

    async def get(self, caller: Caller, file_id: str) -> File:
        parsed = parse_file_id(file_id)
        if parsed.kind is FileKind.RESULTS:
            return result_file(await self._batches.ended(caller, parsed.native))
        native = await self._client.get(caller, f"files/{parsed.native}")
        return from_openai_file(native, await self._records.read(parsed.native))

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[File]:
        listed, token = await filled_page(
            self._client, caller, "files", page_size, page_token, _user_files, order="desc"
        )
        records = await asyncio.gather(*(self._records.read(native.id) for native in listed))
        files = [from_openai_file(n, record) for n, record in zip(listed, records, strict=True)]
        return Page(files, token)

    async def delete(self, caller: Caller, file_id: str) -> None:
        parsed = parse_file_id(file_id)
        if parsed.kind is FileKind.RESULTS:
            await self._batches.delete_results(caller, parsed.native)
            return
        await self._client.delete(caller, f"files/{parsed.native}")
        await self._records.delete(parsed.native)

    async def download(
        self, caller: Caller, file_id: str, form: ResultForm = ResultForm.GEMINI
    ) -> Download:
        parsed = parse_file_id(file_id)
        if parsed.kind is FileKind.RESULTS:
            return await self._batches.download(caller, parsed.native, form)
        return await self._client.download(caller, f"files/{parsed.native}/content")


async def _user_files(listed: Sequence[Answer]) -> list[Answer]:
    return [native for native in listed if is_listed(native)]
