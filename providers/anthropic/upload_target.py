"""Stores the bytes of an upload for Anthropic.

The input file of a batch goes to the state store, chunk by chunk. Other files go to Anthropic's
Files API: directly if they came in one request, otherwise from parts in the state store.
"""

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Final

from providers.anthropic.client import listed_page
from providers.anthropic.files import from_anthropic_file
from providers.anthropic.staged_files import StagedFiles, new_staged_id, staged_file_id
from providers.body import Body
from providers.credential import Caller
from providers.errors import invalid_argument
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
from providers.uploads.upload_target import OpenSession

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


class AnthropicUploadTarget(CollectedParts):
    """Implements `providers.uploads.upload_target.UploadTarget`."""

    whole_limit: int = SIZE_LIMIT
    size_limit: int = SIZE_LIMIT

    def __init__(
        self, client: JsonApi, state: State, records: FileRecords, staged: StagedFiles
    ) -> None:
        super().__init__(state, PostedFiles(client, state, records, AnthropicFileApi(client)))
        self._staged = staged

    async def describe(self, _: Caller, start: UploadStart) -> Mapping[str, str]:
        if start.expires_after is not None and start.batch_input:
            raise invalid_argument(
                "the expiry of this file cannot be set: the proxy keeps batch inputs for Anthropic "
                f"itself, for {self._staged.life.total_seconds():.0f} seconds (FERRY_STATE_TTL)"
            )
        if start.batch_input:
            return start_details(start, staged=new_staged_id())
        return start_details(start, mark=unique_mark())

    async def whole(self, session: OpenSession, body: Body) -> File:
        size, staged_id = body.length or 0, session.details.get("staged")
        if staged_id is None:
            return await super().whole(session, body)
        digest = hashlib.sha256()
        hashed = Body(_hashing(body, digest), size)
        name = self._staged.content_name(session.caller, staged_id)
        made = await self._state.create(name, hashed)
        # If the content was stored before, this body may not have been read to its end.
        sha256 = base64.b64encode(digest.digest()).decode() if made else None
        return await self._staged_file(session, staged_id, size, sha256)

    async def assemble(self, session: OpenSession, total: int) -> File:
        staged_id = session.details.get("staged")
        if staged_id is None:
            return await super().assemble(session, total)
        await self._parts.complete(session, total)
        return await self._staged_file(session, staged_id, total, None)

    async def unanswered(self, session: OpenSession) -> File | None:
        staged_id = session.details.get("staged")
        if staged_id is None:
            return await super().unanswered(session)
        return await self._staged.find(session.caller, staged_id)

    async def discard(self, session: OpenSession, file: File) -> None:
        staged_id = session.details.get("staged")
        if staged_id is None:
            await super().discard(session, file)
        else:
            await self._staged.delete(session.caller, staged_id)

    async def _staged_file(
        self, session: OpenSession, staged_id: str, size: int, sha256: str | None
    ) -> File:
        now = datetime.now(UTC)
        file = File(
            id=staged_file_id(staged_id),
            display_name=session.details.get("display_name"),
            mime_type=session.details.get("mime_type"),
            size=size,
            create_time=now,
            expiration_time=now + self._staged.life,
            sha256=sha256,
            downloadable=True,
        )
        return await self._staged.record(session.caller, staged_id, file)

    def _content_name(self, session: OpenSession) -> str:
        staged_id = session.details.get("staged")
        if staged_id is None:
            return super()._content_name(session)
        return self._staged.content_name(session.caller, staged_id)


async def _hashing(body: Body, digest: "hashlib._Hash") -> AsyncIterator[bytes]:
    async for chunk in body.chunks:
        digest.update(chunk)
        yield chunk


def _native_name(details: Mapping[str, str]) -> str:
    name = details.get("display_name", "upload")
    allowed = ("_" if c in _FORBIDDEN or not c.isprintable() else c for c in name)
    return (details.get("mark", "") + "".join(allowed))[:_NAME_KEPT]
