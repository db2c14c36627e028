"""Stores the bytes of an upload for Anthropic.

The input file of a batch goes to the state store, chunk by chunk. Other files go to Anthropic's
Files API: directly if they came in one request, otherwise from parts in the state store.
"""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Final

from providers.anthropic.client import listed_page
from providers.anthropic.files import from_anthropic_file
from providers.body import Body
from providers.credential import Caller
from providers.json_api.client import Answer, JsonApi
from providers.limits import Limit
from providers.resources import File
from providers.state import State
from providers.upload import UploadStart
from providers.uploads.native_files import FileRecord, FileRecords
from providers.uploads.posted_files import (
    CollectedParts,
    FileForm,
    PostedFiles,
    start_details,
    unique_mark,
)
from providers.uploads.staged_files import StagedFiles
from providers.uploads.staged_uploads import StagedUploadTarget, is_staged
from providers.uploads.upload_target import OpenSession, UploadTarget

# anthropic.md section 3. A batch's input has the same limit; it is translated while it is sent.
SIZE_LIMIT: Final = Limit(500 << 20, "bytes", "a file at Anthropic")
# In seconds; from Anthropic's published description of `expires_in_seconds`.
FILE_EXPIRY: Final = range(3600, 7_776_000 + 1)
_PAGE_SIZE: Final = 100
# The types that may be sent in the head of a form's part. A client's own can be any text.
_MIME_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_ANY_TYPE: Final = "application/octet-stream"
# Unverified: anthropic.md section 3.
_FORBIDDEN: Final = frozenset('<>:"|?*\\/')
_NAME_KEPT: Final = 255


class AnthropicFileApi:
    """Implements `providers.uploads.posted_files.FileApi`."""

    path = "v1/files"

    def __init__(self, client: JsonApi) -> None:
        self._client = client

    def form(self, details: Mapping[str, str]) -> FileForm:
        mime_type = details.get("mime_type", "").partition(";")[0].strip()
        part_type = mime_type if _MIME_TYPE.fullmatch(mime_type) else _ANY_TYPE
        expiry = details.get("expires_after")
        return FileForm(
            {"expires_in_seconds": expiry} if expiry else {}, _native_name(details), part_type
        )

    async def newest(self, caller: Caller, _: Mapping[str, str]) -> AsyncIterator[Answer]:
        cursor: str | None = None
        while True:
            listed, cursor = await listed_page(self._client, caller, self.path, _PAGE_SIZE, cursor)
            for native in listed:
                yield native
            if cursor is None:
                return

    def file(self, native: Answer, record: FileRecord | None) -> File:
        return from_anthropic_file(native, record)


class PostedUploads(CollectedParts):
    """Files that go to Anthropic's Files API."""

    whole_limit: int = SIZE_LIMIT
    size_limit: int = SIZE_LIMIT

    async def describe(self, _: Caller, start: UploadStart) -> Mapping[str, str]:
        return start_details(start, mark=unique_mark())


class AnthropicUploadTarget:
    """Implements `providers.uploads.upload_target.UploadTarget`."""

    whole_limit: int = SIZE_LIMIT
    size_limit: int = SIZE_LIMIT

    def __init__(
        self, client: JsonApi, state: State, records: FileRecords, staged: StagedFiles
    ) -> None:
        posted = PostedFiles(client, state, records, AnthropicFileApi(client))
        self._files = PostedUploads(state, posted)
        self._inputs = StagedUploadTarget(state, staged)

    async def describe(self, caller: Caller, start: UploadStart) -> Mapping[str, str]:
        target: UploadTarget = self._inputs if start.batch_input else self._files
        return await target.describe(caller, start)

    async def whole(self, session: OpenSession, body: Body) -> File:
        return await self._target(session).whole(session, body)

    async def put(self, session: OpenSession, offset: int, body: Body) -> None:
        await self._target(session).put(session, offset, body)

    async def part_size(self, session: OpenSession, offset: int) -> int | None:
        return await self._target(session).part_size(session, offset)

    async def assemble(self, session: OpenSession, total: int) -> File:
        return await self._target(session).assemble(session, total)

    async def unanswered(self, session: OpenSession) -> File | None:
        return await self._target(session).unanswered(session)

    async def abort(self, session: OpenSession) -> None:
        await self._target(session).abort(session)

    async def discard(self, session: OpenSession, file: File) -> None:
        await self._target(session).discard(session, file)

    def _target(self, session: OpenSession) -> UploadTarget:
        return self._inputs if is_staged(session) else self._files


def _native_name(details: Mapping[str, str]) -> str:
    name = details.get("display_name", "upload")
    allowed = ("_" if c in _FORBIDDEN or not c.isprintable() else c for c in name)
    return (details.get("mark", "") + "".join(allowed))[:_NAME_KEPT]
