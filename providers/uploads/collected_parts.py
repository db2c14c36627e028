"""Uploads for providers that take a file only in one request.

Several chunks are collected as one object in the state store, and posted at the end.
"""

from providers.body import Body, close
from providers.errors import unavailable
from providers.multipart_uploads import MultipartUploads
from providers.resources import File
from providers.state import State
from providers.uploads.posted_files import PostedFiles
from providers.uploads.session_parts import SessionParts
from providers.uploads.upload_target import OpenSession, session_object


class CollectedParts:
    """An `UploadTarget` without `describe` and limits, which a provider's subclass adds."""

    def __init__(self, state: State, posted: PostedFiles) -> None:
        self._state = state
        self._posted = posted
        self._parts = SessionParts(state, self._multipart, self._content_name, self._content_size)

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

    async def abort(self, session: OpenSession) -> None:
        await self._parts.abort(session)

    async def discard(self, session: OpenSession, file: File) -> None:
        await self._posted.discard(session, file)

    async def _multipart(self, _: OpenSession) -> MultipartUploads:
        return self._state.multipart

    async def _content_size(self, _: OpenSession, name: str) -> int | None:
        whole = await self._state.head(name)
        return None if whole is None else whole.size

    def _content_name(self, session: OpenSession) -> str:
        return session_object(session.id, "content")
