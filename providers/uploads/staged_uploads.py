"""Uploads of files that the proxy keeps itself, chunk by chunk in the state store."""

import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Final

from providers.body import Body
from providers.credential import Caller
from providers.errors import invalid_argument
from providers.limits import STAGED_FILE
from providers.resources import File
from providers.state import State
from providers.upload import UploadStart
from providers.uploads.posted_files import start_details
from providers.uploads.session_parts import parts_in_state
from providers.uploads.staged_files import StagedFiles, new_staged_id, staged_file_id
from providers.uploads.upload_target import OpenSession

_STAGED: Final = "staged"


def is_staged(session: OpenSession) -> bool:
    """Whether the session began with `StagedUploadTarget.describe`."""
    return _STAGED in session.details


class StagedUploadTarget:
    """Implements `providers.uploads.upload_target.UploadTarget`."""

    whole_limit: int = STAGED_FILE
    size_limit: int = STAGED_FILE

    def __init__(self, state: State, staged: StagedFiles) -> None:
        self._state = state
        self._staged = staged
        self._parts = parts_in_state(state, self._content_name)

    async def describe(self, _: Caller, start: UploadStart) -> Mapping[str, str]:
        if start.expires_after is not None:
            raise invalid_argument(
                "the expiry of this file cannot be set: the proxy keeps it itself, for "
                f"{self._staged.life.total_seconds():.0f} seconds (FERRY_STATE_TTL)"
            )
        return start_details(start, staged=new_staged_id())

    async def whole(self, session: OpenSession, body: Body) -> File:
        size = body.length or 0
        digest = hashlib.sha256()
        hashed = Body(_hashing(body, digest), size)
        made = await self._state.create(self._content_name(session), hashed)
        # If the content was stored before, this body may not have been read to its end.
        sha256 = base64.b64encode(digest.digest()).decode() if made else None
        return await self._record(session, size, sha256)

    async def put(self, session: OpenSession, offset: int, body: Body) -> None:
        await self._parts.put(session, offset, body)

    async def part_size(self, session: OpenSession, offset: int) -> int | None:
        return await self._parts.part_size(session, offset)

    async def assemble(self, session: OpenSession, total: int) -> File:
        await self._parts.complete(session, total)
        return await self._record(session, total, None)

    async def unanswered(self, session: OpenSession) -> File | None:
        return await self._staged.find(session.caller, _staged_id(session))

    async def abort(self, session: OpenSession) -> None:
        await self._parts.abort(session)

    async def discard(self, session: OpenSession, _: File) -> None:
        await self._staged.delete(session.caller, _staged_id(session))

    async def _record(self, session: OpenSession, size: int, sha256: str | None) -> File:
        now = datetime.now(UTC)
        staged_id = _staged_id(session)
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
        return self._staged.content_name(session.caller, _staged_id(session))


def _staged_id(session: OpenSession) -> str:
    return session.details[_STAGED]


async def _hashing(body: Body, digest: "hashlib._Hash") -> AsyncIterator[bytes]:
    async for chunk in body.chunks:
        digest.update(chunk)
        yield chunk
