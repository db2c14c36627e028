"""Files at Mistral (mistral.md section 2), which takes each in one request."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from providers.batches.file_batches.files import INPUT_PURPOSE, is_derived
from providers.credential import Caller
from providers.json_api.answer_shape import text_or_none
from providers.json_api.client import Answer, JsonApi
from providers.json_api.page_tokens import filled_page
from providers.limits import Limit
from providers.mistral.pages import numbered_pages
from providers.resources import File
from providers.state import State
from providers.upload import UploadStart
from providers.uploads.native_files import FileRecord, FileRecords, file_of
from providers.uploads.posted_files import (
    CollectedParts,
    FileForm,
    PostedFiles,
    native_file_name,
    part_type,
    start_details,
    unique_mark,
)

SIZE_LIMIT: Final = Limit(512 << 20, "bytes", "a file at Mistral")
_OTHER_PURPOSE: Final = "ocr"
# Unverified: that every result of a batch has one of these.
_RESULTS: Final = frozenset({"batch_result", "batch_error"})


class MistralFileApi:
    """Implements `providers.uploads.posted_files.FileApi` and `native_files.FileList`."""

    path = "files"

    def __init__(self, client: JsonApi) -> None:
        self._client = client

    def form(self, details: Mapping[str, str]) -> FileForm:
        return FileForm({"purpose": details["purpose"]}, details["filename"], part_type(details))

    async def newest(self, caller: Caller, details: Mapping[str, str]) -> AsyncIterator[Answer]:
        """Unverified: that the list begins with the newest."""
        purpose = details["purpose"]
        async for page in numbered_pages(self._client, caller, self.path, None, purpose=purpose):
            for native, _ in page:
                yield native

    async def page(
        self, caller: Caller, page_size: int, page_token: str | None
    ) -> tuple[list[Answer], str | None]:
        pages = numbered_pages(self._client, caller, self.path, page_token)
        return await filled_page(pages, page_size, _user_files)

    def file(self, native: Answer, record: FileRecord | None) -> File:
        """A file with its record; Mistral's own names are used for files of other tools."""
        names = record or FileRecord(
            "",
            text_or_none(native.get("filename")) or "",
            text_or_none(native.get("mimetype")) or "",
        )
        return file_of(native, names, downloadable=True)


class MistralUploadTarget(CollectedParts):
    """Implements `providers.uploads.upload_target.UploadTarget`."""

    whole_limit: int = SIZE_LIMIT
    size_limit: int = SIZE_LIMIT

    def __init__(
        self, client: JsonApi, state: State, records: FileRecords, files: MistralFileApi
    ) -> None:
        super().__init__(state, PostedFiles(client, state, records, files))

    async def describe(self, _: Caller, start: UploadStart) -> Mapping[str, str]:
        purpose = INPUT_PURPOSE if start.batch_input else _OTHER_PURPOSE
        name = unique_mark() + native_file_name(start, purpose)
        return start_details(start, purpose=purpose, filename=name)


async def _user_files(listed: Sequence[Answer]) -> list[Answer]:
    """Those that are neither a translated input nor a batch's own results."""
    return [
        native
        for native in listed
        if not is_derived(native.get("filename")) and native.get("sample_type") not in _RESULTS
    ]
