"""Files made by one multipart request, never twice, although answers can be lost."""

import re
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from providers.body import Body, close
from providers.credential import Caller
from providers.errors import FerryError, unavailable
from providers.json_api.client import Answer, JsonApi, outcome_unknown
from providers.json_api.multipart import form_with_file
from providers.resource_names import parse_file_id
from providers.resources import File
from providers.state import State, write
from providers.upload import UploadStart
from providers.uploads.native_files import FileRecord, FileRecords
from providers.uploads.session_parts import parts_in_state
from providers.uploads.upload_target import OpenSession, session_object

# The difference allowed between the provider's clock and ours in the search for a lost file: either
# may have been corrected by ten minutes since the start.
_CLOCK_SECONDS: Final = 900
BATCH_PURPOSE: Final = "batch"
_MIME_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileForm:
    """The fields of the request beside the file, and the file's own name and content type.

    The name begins with a `unique_mark`.
    """

    fields: Mapping[str, str]
    name: str
    mime_type: str


class FileApi(Protocol):
    """A provider's files. `details` are what the session remembers of its start.

    `path` is where files are posted. The details have the member `started`, in Unix seconds.
    """

    path: str

    def form(self, details: Mapping[str, str]) -> FileForm: ...

    def newest(self, caller: Caller, details: Mapping[str, str]) -> AsyncIterator[Answer]:
        """The files that this upload could have made, newest first."""

    def file(self, native: Answer, record: FileRecord | None) -> File:
        """A file with its record; without one, its display name is the name in the form."""


class PostedFiles:
    """The files of one upstream. They are recorded with the session that made them."""

    def __init__(self, client: JsonApi, state: State, records: FileRecords, api: FileApi) -> None:
        self._client = client
        self._state = state
        self._records = records
        self._api = api

    async def make(self, session: OpenSession, size: int, content: Body) -> File:
        """Post the file, unless an earlier request whose answer was lost has made it."""
        first = await write(self._state, _attempt(session), b"")
        native = None if first else await self.find(session, size)
        if native is None:
            try:
                native = await self._post(session, content)
            except FerryError as error:
                native = await self.find(session, size) if outcome_unknown(error) else None
                if native is None:
                    raise
        return await self.record(session, native)

    async def unanswered(self, session: OpenSession) -> File | None:
        """The file that an earlier request has posted, if its answer was lost."""
        if await self._state.head(_attempt(session)) is None:
            return None
        return await self.made(session)

    async def made(self, session: OpenSession) -> File | None:
        native = await self.find(session)
        return None if native is None else await self.record(session, native)

    async def record(self, session: OpenSession, native: Answer) -> File:
        names = {n: session.details.get(n, "") for n in ("display_name", "mime_type")}
        record = FileRecord(session.id, **names)
        await self._records.write(native.id, record)
        return self._api.file(native, record)

    async def find(self, session: OpenSession, size: int | None = None) -> Answer | None:
        """A file with this session's name, which is unique, and this size if one is given."""
        name = self._api.form(session.details).name
        started = int(session.details["started"]) - _CLOCK_SECONDS
        async for native in self._api.newest(session.caller, session.details):
            made = self._api.file(native, None)
            if made.create_time and made.create_time.timestamp() < started:
                return None
            if made.display_name == name and size in (None, made.size):
                return native
        return None

    async def discard(self, session: OpenSession, file: File) -> None:
        native_id = parse_file_id(file.id).native
        await self._client.ensure_deleted(session.caller, f"{self._api.path}/{native_id}")
        await self._records.delete(native_id)

    async def _post(self, session: OpenSession, content: Body) -> Answer:
        form = self._api.form(session.details)
        content_type, body = form_with_file(form.fields, "file", form.name, form.mime_type, content)
        return await self._client.post_body(session.caller, self._api.path, content_type, body)


def _attempt(session: OpenSession) -> str:
    return session_object(session.id, "attempt")


def start_details(start: UploadStart, **more: str) -> dict[str, str]:
    """The details of a session; empty ones are left out."""
    details = {
        "display_name": start.display_name or start.file_name or "",
        "mime_type": start.mime_type or "",
        "started": str(int(time.time())),
        "expires_after": str(start.expires_after or ""),
        **more,
    }
    return {key: value for key, value in details.items() if value}


def unique_mark() -> str:
    """Begins the name of one upload's file, by which the file is found if the answer was lost.

    Names and sizes that clients choose are equal at times. Another file of that name and size,
    perhaps of another client, must never be taken for this one.
    """
    return f"{secrets.token_hex(6)}-"


def native_file_name(start: UploadStart, purpose: str) -> str:
    """The display name as a file name; for a batch it must end in `.jsonl`, in lower case."""
    name = start.display_name or start.file_name or "upload"
    name = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in name)
    if purpose == BATCH_PURPOSE and not name.endswith(".jsonl"):
        name += ".jsonl"
    return name


def part_type(details: Mapping[str, str]) -> str:
    """The content type of the file. SDKs also send a client's invalid types, such as `jsonl`."""
    if details["purpose"] == BATCH_PURPOSE:
        return "application/jsonl"
    mime_type = details.get("mime_type", "")
    return mime_type if _MIME_TYPE.fullmatch(mime_type) else "application/octet-stream"


class CollectedParts:
    """An `UploadTarget` without `describe` and limits, which a provider's subclass adds.

    Several chunks are collected as one object in the state store, and posted at the end.
    """

    def __init__(self, state: State, posted: PostedFiles) -> None:
        self._state = state
        self._posted = posted
        self._parts = parts_in_state(state, self._content_name)

    async def whole(self, session: OpenSession, body: Body) -> File:
        return await self._posted.make(session, body.length or 0, body)

    async def put(self, session: OpenSession, offset: int, body: Body) -> None:
        await self._parts.put(session, offset, body)

    async def part_size(self, session: OpenSession, offset: int) -> int | None:
        return await self._parts.part_size(session, offset)

    async def assemble(self, session: OpenSession, total: int) -> File:
        content = await self._state.get(await self._parts.complete(session, total))
        if content is None:
            raise unavailable("the parts of the upload are missing in the state store")
        try:
            return await self._posted.make(session, total, content)
        finally:
            await close(content)

    async def unanswered(self, session: OpenSession) -> File | None:
        return await self._posted.unanswered(session)

    async def abort(self, session: OpenSession) -> None:
        await self._parts.abort(session)

    async def discard(self, session: OpenSession, file: File) -> None:
        await self._posted.discard(session, file)

    def _content_name(self, session: OpenSession) -> str:
        return session_object(session.id, "content")
