"""Files at OpenAI: how they are posted, and how they are listed."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from providers.batches.file_batches.files import INPUT_PURPOSE, is_derived
from providers.batches.file_batches.input_waits import is_unread, why_unreadable
from providers.credential import Caller
from providers.errors import invalid_argument
from providers.json_api.answer_shape import text_or_none
from providers.json_api.client import Answer, JsonApi
from providers.json_api.page_tokens import filled_page
from providers.openai.client import pages_after
from providers.resources import File
from providers.upload import UploadStart, suffix
from providers.uploads.native_files import FileRecord, file_of
from providers.uploads.posted_files import FileForm, part_type

PURPOSE_HEADER: Final = "x-ferry-openai-purpose"
PURPOSES: Final = frozenset({"assistants", "batch", "fine-tune", "vision", "user_data", "evals"})
# The purposes in the published specification of `POST /uploads` (github.com/openai/openai-openapi,
# CreateUploadRequest).
UPLOADS_PURPOSES: Final = frozenset({"assistants", "batch", "fine-tune", "vision"})
OUTPUT_PURPOSE: Final = "batch_output"

_IMAGE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
_LARGEST_PAGE = 100


def purpose_of(caller: Caller, start: UploadStart) -> str:
    """The purpose in the caller's header, or else one by what the file is."""
    named = caller.headers.get(PURPOSE_HEADER)
    if named is not None:
        if named not in PURPOSES:
            known = ", ".join(sorted(PURPOSES))
            raise invalid_argument(f"{PURPOSE_HEADER} {named[:40]!r} must be one of {known}")
        return named
    if start.batch_input:
        return INPUT_PURPOSE
    suffixes = {suffix(name) for name in (start.display_name, start.file_name)}
    if (start.mime_type or "").lower().startswith("image/") or suffixes & _IMAGE_SUFFIXES:
        return "vision"
    return "user_data"


def is_listed(file: Mapping[str, object]) -> bool:
    """Whether lists show a file: not a translated input and not a batch's raw output."""
    if file.get("purpose") == OUTPUT_PURPOSE:
        return False
    return not is_derived(file.get("filename"))


class OpenAIFileApi:
    """Implements `providers.uploads.posted_files.FileApi` and `native_files.FileList`."""

    path = "files"

    def __init__(self, client: JsonApi) -> None:
        self._client = client

    def form(self, details: Mapping[str, str]) -> FileForm:
        fields = {"purpose": details["purpose"], **_expiry_fields(details)}
        return FileForm(fields, details["filename"], part_type(details))

    async def newest(self, caller: Caller, details: Mapping[str, str]) -> AsyncIterator[Answer]:
        query = {"purpose": details["purpose"], "order": "desc"}
        pages = pages_after(self._client, caller, self.path, _LARGEST_PAGE, None, **query)
        async for page in pages:
            for native, _ in page:
                yield native

    async def page(
        self, caller: Caller, page_size: int, page_token: str | None
    ) -> tuple[list[Answer], str | None]:
        pages = pages_after(self._client, caller, self.path, page_size, page_token, order="desc")
        return await filled_page(pages, page_size, _user_files)

    def file(self, native: Answer, record: FileRecord | None) -> File:
        return from_openai_file(native, record)


async def _user_files(listed: Sequence[Answer]) -> list[Answer]:
    return [native for native in listed if is_listed(native)]


def _expiry_fields(details: Mapping[str, str]) -> dict[str, str]:
    """`expires_after` in the form in which OpenAI's SDK writes objects."""
    seconds = details.get("expires_after")
    if seconds is None:
        return {}
    return {"expires_after[anchor]": "created_at", "expires_after[seconds]": seconds}


def from_openai_file(native: Answer, record: FileRecord | None) -> File:
    """Read a file object (openai.md section 2). Without a record its file name is its display name.

    OpenAI keeps no content type, so files of other tools have none.
    """
    names = record or FileRecord("", text_or_none(native.get("filename")) or "")
    return file_of(
        native,
        names,
        downloadable=native.get("purpose") in ("batch", "batch_output"),
        unread=is_unread(native),
        failure=why_unreadable(native),
    )
