"""Stores the bytes of an upload for Anthropic.

The input file of a batch goes to the state store, chunk by chunk. Other files go to Anthropic's
Files API: directly if they came in one request, otherwise from parts in the state store.
"""

import base64
import hashlib
import re
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Final

from providers.anthropic.file_records import from_anthropic_file
from providers.anthropic.lists import listed_page
from providers.anthropic.staged_files import StagedFiles, new_staged_id, staged_file_id
from providers.body import Body, close
from providers.credential import Caller
from providers.errors import FerryError, invalid_argument, unavailable
from providers.json_api.client import Answer, JsonApi, outcome_unknown
from providers.parted_objects import PartedObjects
from providers.resource_names import FileKind, parse_file_id
from providers.resources import File
from providers.state import State, write
from providers.upload import UploadStart, is_batch_input
from providers.uploads.file_records import FileRecords
from providers.uploads.multipart import form_with_file
from providers.uploads.resumable import OpenSession
from providers.uploads.session_parts import SessionParts
from providers.uploads.upload_sessions import session_object

# anthropic.md section 3. A batch's input has the same limit; it is translated while it is sent.
SIZE_LIMIT: Final = 500 << 20
# In seconds; from Anthropic's published description of `expires_in_seconds`.
FILE_EXPIRY: Final = range(3600, 7_776_000 + 1)
# The difference allowed between Anthropic's clock and ours in the search for a lost file.
_CLOCK_SECONDS: Final = 300
_PAGE_SIZE: Final = 100
# The types that may be sent in the head of a form's part. A client's own can be any text.
_MIME_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_ANY_TYPE: Final = "application/octet-stream"
# Unverified: anthropic.md section 3.
_FORBIDDEN: Final = frozenset('<>:"|?*\\/')
_NAME_LENGTH: Final = 255


class AnthropicUploadTarget:
    """Implements `providers.uploads.resumable.UploadTarget`."""

    whole_limit = SIZE_LIMIT
    size_limit = SIZE_LIMIT

    def __init__(
        self, client: JsonApi, state: State, records: FileRecords, staged: StagedFiles
    ) -> None:
        self._client = client
        self._state = state
        self._records = records
        self._staged = staged
        self._parts = SessionParts(state, self._parted, self._content_name, self._content_size)

    async def describe(self, _: Caller, start: UploadStart) -> Mapping[str, str]:
        if start.expires_after is not None and is_batch_input(start):
            raise invalid_argument(
                "the expiry of this file cannot be set: the proxy keeps batch inputs for Anthropic "
                f"itself, for {self._staged.life.total_seconds():.0f} seconds (FERRY_STATE_TTL)"
            )
        details = {
            "display_name": start.display_name or start.file_name or "",
            "mime_type": start.mime_type or "",
            "started": str(int(time.time())),
            "expires_after": str(start.expires_after or ""),
            "staged": new_staged_id() if is_batch_input(start) else "",
        }
        return {key: value for key, value in details.items() if value}

    async def whole(self, session: OpenSession, body: Body) -> File:
        size, staged_id = body.length or 0, session.details.get("staged")
        if staged_id is None:
            return await self._uploaded(session, size, body)
        digest = hashlib.sha256()
        hashed = Body(_hashing(body, digest), size)
        name = self._staged.content_name(session.caller, staged_id)
        made = await self._state.create(name, hashed)
        # If the content was stored before, this body may not have been read to its end.
        sha256 = base64.b64encode(digest.digest()).decode() if made else None
        return await self._staged_file(session, staged_id, size, sha256)

    async def put(self, session: OpenSession, offset: int, body: Body) -> None:
        await self._parts.put(session, offset, body)

    async def part_size(self, session: OpenSession, offset: int) -> int | None:
        return await self._parts.part_size(session, offset)

    async def assemble(self, session: OpenSession, total: int) -> File:
        name = await self._parts.complete(session, total)
        staged_id = session.details.get("staged")
        if staged_id is not None:
            return await self._staged_file(session, staged_id, total, None)
        content = await self._state.get(name)
        if content is None:
            raise unavailable("the parts of the upload are missing in the state store")
        try:
            return await self._uploaded(session, total, content)
        finally:
            await close(content)

    async def abort(self, session: OpenSession) -> None:
        await self._parts.abort(session)

    async def discard(self, session: OpenSession, file: File) -> None:
        parsed = parse_file_id(file.id)
        if parsed.kind is FileKind.STAGED:
            await self._staged.delete(session.caller, parsed.native)
        else:
            await self._client.ensure_deleted(session.caller, f"v1/files/{parsed.native}")
            await self._records.delete(parsed.native)

    # --- in the state store --------------------------------------------------------------------

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

    async def _parted(self, _: OpenSession) -> PartedObjects:
        return self._state.parted

    async def _content_size(self, _: OpenSession, name: str) -> int | None:
        whole = await self._state.head(name)
        return None if whole is None else whole.size

    def _content_name(self, session: OpenSession) -> str:
        staged_id = session.details.get("staged")
        if staged_id is None:
            return session_object(session.id, "content")
        return self._staged.content_name(session.caller, staged_id)

    # --- Anthropic's Files API -----------------------------------------------------------------

    async def _uploaded(self, session: OpenSession, size: int, content: Body) -> File:
        """`POST /v1/files`, unless an earlier request whose answer was lost has made the file."""
        first = await write(self._state, session_object(session.id, "attempt"), b"")
        found = None if first else await self._find(session, size)
        if found is None:
            try:
                found = await self._post(session, content)
            except FerryError as error:
                found = await self._find(session, size) if outcome_unknown(error) else None
                if found is None:
                    raise
        await self._records.write(found.id, session.id, session.details)
        return from_anthropic_file(found, session.details)

    async def _post(self, session: OpenSession, content: Body) -> Answer:
        mime_type = session.details.get("mime_type", "").partition(";")[0].strip()
        part_type = mime_type if _MIME_TYPE.fullmatch(mime_type) else _ANY_TYPE
        expiry = session.details.get("expires_after")
        fields = {"expires_in_seconds": expiry} if expiry else {}
        content_type, form = form_with_file(
            fields, "file", _native_name(session), part_type, content
        )
        return await self._client.post_body(session.caller, "v1/files", content_type, form)

    async def _find(self, session: OpenSession, size: int) -> Answer | None:
        """A file with this session's name and size that no other session has recorded."""
        started = int(session.details["started"]) - _CLOCK_SECONDS
        cursor: str | None = None
        while True:
            listed, cursor = await listed_page(
                self._client, session.caller, "v1/files", _PAGE_SIZE, cursor
            )
            for native in listed:
                made = from_anthropic_file(native, None)
                if made.create_time and made.create_time.timestamp() < started:
                    return None
                if (made.display_name, made.size) != (_native_name(session), size):
                    continue
                record = await self._records.read(native.id)
                if record is None or record["session"] == session.id:
                    return native
            if cursor is None:
                return None


async def _hashing(body: Body, digest: "hashlib._Hash") -> AsyncIterator[bytes]:
    async for chunk in body.chunks:
        digest.update(chunk)
        yield chunk


def _native_name(session: OpenSession) -> str:
    name = session.details.get("display_name", "upload")
    allowed = ("_" if c in _FORBIDDEN or not c.isprintable() else c for c in name)
    return "".join(allowed)[:_NAME_LENGTH]
