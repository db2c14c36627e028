"""The files of a provider together with the files of its batches' results."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from providers.batches.target_batches import TargetBatches
from providers.body import Body
from providers.credential import Caller
from providers.resource_names import FileKind, decode_file_id, result_file_id
from providers.resources import Batch, Download, File, FileSource, Page, ResultForm
from providers.upload import UploadStart

Create = Callable[[Caller, str, UploadStart, Body], Awaitable[File]]


class StoredFiles(Protocol):
    """The files of a provider, without results: as `providers.provider.Files`."""

    async def get(self, caller: Caller, file_id: str) -> File: ...

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[File]: ...

    async def delete(self, caller: Caller, file_id: str) -> None: ...

    async def download(self, caller: Caller, file_id: str) -> Download: ...


class FilesWithResults:
    """Implements `providers.provider.Files`. Lists do not show the files of results."""

    def __init__(self, files: StoredFiles, batches: TargetBatches, create: Create) -> None:
        self._files = files
        self._batches = batches
        self._create = create

    async def create(self, caller: Caller, session_id: str, start: UploadStart, body: Body) -> File:
        return await self._create(caller, session_id, start, body)

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[File]:
        return await self._files.list(caller, page_size, page_token)

    async def get(self, caller: Caller, file_id: str) -> File:
        batch_id = _batch_of(file_id)
        if batch_id is None:
            return await self._files.get(caller, file_id)
        return result_file(await self._batches.ended(caller, batch_id))

    async def delete(self, caller: Caller, file_id: str) -> None:
        batch_id = _batch_of(file_id)
        if batch_id is None:
            await self._files.delete(caller, file_id)
        else:
            await self._batches.delete_results(caller, batch_id)

    async def download(
        self, caller: Caller, file_id: str, form: ResultForm = ResultForm.GEMINI
    ) -> Download:
        batch_id = _batch_of(file_id)
        if batch_id is None:
            return await self._files.download(caller, file_id)
        return await self._batches.download(caller, batch_id, form)


def result_file(batch: Batch) -> File:
    """The file of the results of an ended batch."""
    return File(
        id=result_file_id(batch.id),
        display_name=batch.display_name,
        mime_type="application/jsonl",
        create_time=batch.end_time,
        source=FileSource.GENERATED,
        downloadable=True,
    )


def _batch_of(file_id: str) -> str | None:
    """The batch whose results a file id names; None for every other file."""
    decoded = decode_file_id(file_id)
    return decoded.native if decoded and decoded.kind is FileKind.RESULTS else None
