"""Sends the bytes of a resumable upload to OpenAI.

An upload in one chunk is one multipart POST. Several chunks are parts of an upload in the Uploads
API. If the total is unknown, or the Uploads API is missing or does not take the purpose, the parts
are staged in the state store and sent in one multipart POST at the end.
"""

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.body import Body
from providers.credential import Caller
from providers.errors import FerryError, invalid_argument, unavailable
from providers.json_api.client import Answer, JsonApi, outcome_unknown
from providers.json_api.multipart import form_with_file
from providers.kept_records import KeptRecords
from providers.limits import Limit
from providers.openai.files import PURPOSE_HEADER, UPLOADS_PURPOSES, OpenAIFileApi, purpose_of
from providers.resources import File
from providers.state import State
from providers.status import Status
from providers.upload import GRANULARITY, UploadStart, UploadStatus
from providers.uploads.native_files import FileRecords
from providers.uploads.posted_files import (
    PostedFiles,
    native_file_name,
    part_type,
    start_details,
    unique_mark,
)
from providers.uploads.session_parts import SessionRoutes
from providers.uploads.upload_target import OpenSession, session_object

# openai.md sections 2 and 3. OpenAI itself refuses sizes between MB and MiB.
BATCH_FILE_LIMIT: Final = Limit(200 << 20, "bytes", "a batch's input file at OpenAI")
WHOLE_FILE_LIMIT: Final = Limit(512 << 20, "bytes", "a file that OpenAI takes in one request")
UPLOADS_LIMIT: Final = Limit(8 << 30, "bytes", "a file in OpenAI's Uploads API")
# In seconds; from OpenAI's published description of `expires_after`.
FILE_EXPIRY: Final = range(3600, 2_592_000 + 1)

# OpenAI's clock counts; ours may be ahead, or have been corrected.
_CLOCK_SECONDS: Final = 900

_API_MISSING: Final = (404, 405, 501)


@dataclass(frozen=True, slots=True)
class _Route:
    """The upload in the Uploads API that gets the parts; empty if they wait in the state store."""

    upload: str
    expires_at: float


_STAGED: Final = _Route("", 0)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part that the Uploads API has; `part` is its id there."""

    part: str
    size: int


class OpenAIUploadTarget:
    """Implements `providers.uploads.upload_target.UploadTarget`.

    With `staged` the Uploads API is never used.
    """

    whole_limit: int = WHOLE_FILE_LIMIT
    size_limit: int = UPLOADS_LIMIT

    def __init__(
        self, client: JsonApi, state: State, records: FileRecords, *, staged: bool
    ) -> None:
        self._client = client
        self._state = state
        self._routes = SessionRoutes(state, _Route)
        self._parts = KeptRecords(state, _Part, lambda name: name)
        self._posted = PostedFiles(client, state, records, OpenAIFileApi(client))
        self._staged = staged

    async def describe(self, caller: Caller, start: UploadStart) -> Mapping[str, str]:
        purpose = purpose_of(caller, start)
        size = start.size or 0
        if purpose == "batch" and size > BATCH_FILE_LIMIT:
            raise invalid_argument(
                f"{size} bytes are too many: OpenAI takes {BATCH_FILE_LIMIT} in a batch file"
            )
        if purpose not in UPLOADS_PURPOSES:
            _require_single_request_size(size, purpose)
        name = unique_mark() + native_file_name(start, purpose)
        return start_details(start, purpose=purpose, filename=name)

    async def whole(self, session: OpenSession, body: Body) -> File:
        return await self._posted.make(session, body.length or 0, body)

    async def put(self, session: OpenSession, offset: int, body: Body) -> None:
        upload = await self._upload(session)
        if upload is None:
            end = offset + (body.length or 0)
            _require_single_request_size(
                max(session.declared or 0, end), session.details["purpose"]
            )
            await self._state.create(_part(session.id, offset), body)
            return
        content_type, form = form_with_file({}, "data", "part", "application/octet-stream", body)
        part = await self._client.post_body(
            session.caller, f"uploads/{upload}/parts", content_type, form
        )
        await self._parts.write(_part(session.id, offset), _Part(part.id, body.length or 0))

    async def part_size(self, session: OpenSession, offset: int) -> int | None:
        route = await self._routes.of(session)
        if route is None:
            return None
        if not route.upload:
            info = await self._state.head(_part(session.id, offset))
            return None if info is None else info.size
        record = await self._part_record(session, offset)
        if record is None:
            return None
        _upload_of(route)  # it must not have expired
        return record.size

    async def assemble(self, session: OpenSession, total: int) -> File:
        upload = await self._upload(session)
        if upload is None:
            staged = Body(self._staged_bytes(session, total), total)
            return await self._posted.make(session, total, staged)
        return await self._completed(session, upload, total)

    async def unanswered(self, session: OpenSession) -> File | None:
        route = await self._routes.stored(session)
        if route is None or not route.upload:
            return await self._posted.unanswered(session)
        return await self._posted.made(session)

    async def abort(self, session: OpenSession) -> None:
        route = await self._routes.stored(session)
        if route is not None and route.upload:
            await self._cancel_upload(session.caller, route.upload)

    async def discard(self, session: OpenSession, file: File) -> None:
        await self._posted.discard(session, file)

    async def _completed(self, session: OpenSession, upload: str, total: int) -> File:
        """Complete an upload. OpenAI answers 400 if it was completed before."""
        offsets = range(0, total, GRANULARITY)
        parts = [await self._part_id(session, offset) for offset in offsets]
        try:
            completed = await self._client.post(
                session.caller, f"uploads/{upload}/complete", {"part_ids": parts}
            )
            native = completed.part("file")
        except FerryError as error:
            may_be = outcome_unknown(error) or error.upstream_status == 400
            found = await self._posted.find(session, total) if may_be else None
            if found is None:
                raise
            native = found
        return await self._posted.record(session, native)

    async def _staged_bytes(self, session: OpenSession, total: int) -> AsyncIterator[bytes]:
        for offset in range(0, total, GRANULARITY):
            part = await self._state.get(_part(session.id, offset))
            if part is None:
                raise unavailable("a part of the upload is missing in the state store")
            async for chunk in part.chunks:
                yield chunk

    async def _upload(self, session: OpenSession) -> str | None:
        """The id of this session's upload in the Uploads API; None if its parts are staged."""
        return _upload_of(await self._routes.of(session) or await self._decide(session))

    async def _decide(self, session: OpenSession) -> _Route:
        """Decide once, for all replicas, where the parts of this session go."""
        upload = await self._begin_upload(session) if self._may_use_uploads_api(session) else None
        route = _Route(upload.id, upload.number("expires_at")) if upload is not None else _STAGED
        if await self._routes.decide(session, route):
            return route
        if upload is not None:
            await self._cancel_upload(session.caller, upload.id)
        decided = await self._routes.of(session)
        if decided is None:
            raise unavailable("the upload session has ended")
        return decided

    def _may_use_uploads_api(self, session: OpenSession) -> bool:
        known = session.details["purpose"] in UPLOADS_PURPOSES
        return known and not self._staged and session.declared is not None

    async def _begin_upload(self, session: OpenSession) -> Answer | None:
        """A new upload at OpenAI; None if the server's Uploads API does not take the file."""
        details = session.details
        document: dict[str, Any] = {
            "bytes": session.declared,
            "filename": details["filename"],
            "mime_type": part_type(details),
            "purpose": details["purpose"],
        }
        if seconds := details.get("expires_after"):
            document["expires_after"] = {"anchor": "created_at", "seconds": int(seconds)}
        try:
            return await self._client.post(session.caller, "uploads", document)
        except FerryError as error:
            if error.upstream_status in _API_MISSING or _refuses_the_purpose(error):
                return None
            raise

    async def _cancel_upload(self, caller: Caller, upload: str) -> None:
        try:
            await self._client.post(caller, f"uploads/{upload}/cancel")
        except FerryError as error:
            # It has already ended: completed, cancelled or expired.
            if error.upstream_status not in (400, 404, 409):
                raise

    async def _part_id(self, session: OpenSession, offset: int) -> str:
        record = await self._part_record(session, offset)
        if record is None:
            raise unavailable("a part of the upload is missing in the state store")
        return record.part

    async def _part_record(self, session: OpenSession, offset: int) -> _Part | None:
        """What OpenAI's Uploads API has of the part at `offset`; None if it is not there yet."""
        return await self._parts.read(_part(session.id, offset))


def _upload_of(route: _Route) -> str | None:
    """The upload in a route, if any. Raises FAILED_PRECONDITION if it has certainly expired."""
    if route.upload and time.time() >= route.expires_at + _CLOCK_SECONDS:
        raise FerryError(
            Status.FAILED_PRECONDITION,
            "the upload expired at OpenAI; start the upload again",
            upload_status=UploadStatus.FINAL,
        )
    return route.upload or None


def _refuses_the_purpose(error: FerryError) -> bool:
    """Unverified: the message of OpenAI's refusal names the member `purpose`."""
    return error.upstream_status in (400, 422) and "purpose" in error.message.lower()


def _require_single_request_size(size: int, purpose: str) -> None:
    """Raise INVALID_ARGUMENT for a file that is too large for one request."""
    if size > WHOLE_FILE_LIMIT:
        raise FerryError(
            Status.INVALID_ARGUMENT,
            f"{size} bytes are too many: OpenAI takes {WHOLE_FILE_LIMIT} in one request, "
            f"and no file of purpose {purpose} in parts; the header {PURPOSE_HEADER} can set "
            "another purpose",
            upload_status=UploadStatus.FINAL,
        )


def _part(session_id: str, offset: int) -> str:
    return session_object(session_id, f"parts/{offset:015d}")
