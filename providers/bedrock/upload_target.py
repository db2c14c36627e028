"""The target of uploads for Bedrock: S3, in one request or with one part for each slice."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from providers.aws.s3 import S3
from providers.aws.s3_parts import S3Parts
from providers.aws.target import AwsTarget, AwsTargets
from providers.bedrock.files import (
    from_object,
    is_batch_object,
    is_new_name,
    new_name,
    object_headers,
)
from providers.body import Body, close
from providers.credential import Caller
from providers.errors import FerryError, unavailable
from providers.json_api.client import outcome_unknown
from providers.limits import UPLOAD_PARTS, Limit
from providers.multipart_uploads import MultipartUpload, MultipartUploads
from providers.resource_names import decode_object_id
from providers.resources import File
from providers.state import State
from providers.upload import GRANULARITY, UploadStart
from providers.uploads.session_parts import SessionParts
from providers.uploads.upload_target import OpenSession, session_object

# bedrock.md section 5
WHOLE_LIMIT: Final = Limit(5 << 30, "bytes", "a file that S3 takes in one request")
SIZE_LIMIT: Final = Limit(UPLOAD_PARTS * GRANULARITY, "bytes", "a file in S3")

_log: Final = logging.getLogger("genai_ferry.bedrock")


class BedrockUploadTarget:
    """Implements `UploadTarget`. `life`: until an unfinished upload is abandoned."""

    whole_limit: int = WHOLE_LIMIT
    size_limit: int = SIZE_LIMIT

    def __init__(self, targets: AwsTargets, s3: S3, state: State, life: timedelta) -> None:
        self._targets = targets
        self._s3 = s3
        self._state = state
        self._life = life
        self._parts = SessionParts(state, self._multipart, _name, self._size)

    async def describe(self, caller: Caller, start: UploadStart) -> Mapping[str, str]:
        _ = (await self._targets.of(caller)).folder  # raises if there is none
        details = {
            "name": new_name(start),
            "display_name": start.display_name or start.file_name or "",
            "mime_type": start.mime_type or "",
        }
        object_headers(details["display_name"], details["mime_type"])  # raises if S3 cannot keep it
        return {key: value for key, value in details.items() if value}

    async def whole(self, session: OpenSession, body: Body) -> File:
        target = await self._targets.of(session.caller)
        folder = target.folder
        key = folder.prefix + _name(session)
        try:
            await self._s3.put(target, folder.bucket, key, body, _headers(session))
        except FerryError as error:
            # No other session has this key: an object of that size is what was sent.
            arrived = await self._size(session, _name(session)) if outcome_unknown(error) else None
            if arrived is None or arrived != body.length:
                raise
        return await self._file(session)

    async def put(self, session: OpenSession, offset: int, body: Body) -> None:
        if body.length is None:
            await self._put_staged(session, offset, body)
        else:
            await self._parts.put(session, offset, body)

    async def part_size(self, session: OpenSession, offset: int) -> int | None:
        return await self._parts.part_size(session, offset)

    async def assemble(self, session: OpenSession, total: int) -> File:
        await self._parts.complete(session, total)
        return await self._file(session)

    async def unanswered(self, session: OpenSession) -> File | None:
        exists = await self._size(session, _name(session)) is not None
        return await self._file(session) if exists else None

    async def abort(self, session: OpenSession) -> None:
        await self._parts.abort(session)

    async def discard(self, session: OpenSession, file: File) -> None:
        name = decode_object_id(file.id)
        if name is None or is_batch_object(name):
            raise AssertionError("a file that no upload made")
        target = await self._targets.of(session.caller)
        await self._s3.delete(target, target.folder.bucket, target.folder.prefix + name)

    async def _put_staged(self, session: OpenSession, offset: int, body: Body) -> None:
        """Through the state store: S3 needs the length before the body."""
        name = session_object(session.id, f"slice-{offset}")
        await self._state.create(name, body)
        staged = await self._state.get(name)
        if staged is None:
            raise unavailable("the state store lost an object that it has just stored")
        try:
            if staged.length or offset == 0:  # an empty last slice is not a part
                await self._parts.put(session, offset, staged)
        finally:
            await close(staged)
            await self._state.delete(name)

    async def _file(self, session: OpenSession) -> File:
        target = await self._targets.of(session.caller)
        folder = target.folder
        stored = await self._s3.head(target, folder.bucket, folder.prefix + _name(session))
        if stored is None:
            raise unavailable("S3 does not show the object that it has just stored")
        return from_object(stored, folder)

    async def _multipart(self, session: OpenSession) -> MultipartUploads:
        target = await self._targets.of(session.caller)
        return _Parts(self._s3, target, self._life, _headers(session))

    async def _size(self, session: OpenSession, name: str) -> int | None:
        target = await self._targets.of(session.caller)
        stored = await self._s3.head(target, target.folder.bucket, target.folder.prefix + name)
        return None if stored is None else stored.size


class _Parts(S3Parts):
    """The parts of one caller. An upload that is not finished within `life` is abandoned."""

    def __init__(
        self, s3: S3, target: AwsTarget, life: timedelta, headers: Mapping[str, str]
    ) -> None:
        super().__init__(s3, target, target.folder, is_new_name, headers)
        self._life = life

    async def begin(self, name: str, size: int | None = None) -> MultipartUpload:
        try:
            await self.abort_before(datetime.now(UTC) - self._life)
        except FerryError as error:
            # The keys may lack this permission; a lifecycle rule of the bucket does the same.
            _log.warning("abandoned uploads could not be aborted: %s", error.status.name)
        return await super().begin(name, size)


def _name(session: OpenSession) -> str:
    return session.details["name"]


def _headers(session: OpenSession) -> dict[str, str]:
    details = session.details
    return object_headers(details.get("display_name", ""), details.get("mime_type", ""))
