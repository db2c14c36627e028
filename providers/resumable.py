"""The resumable protocol for every provider that is not Google itself (design.md, Uploads).

The rules of offsets, sizes and endings are here; where the bytes go is the provider's
`UploadTarget`. Each 8 MiB slice is one part, numbered by its offset, so that a repeat in any
slicing writes the same bytes to the same place, through any replica.
"""

from collections.abc import Mapping
from typing import Final, Protocol

import orjson

from providers.body import Body, Slices, drain
from providers.credential import Caller
from providers.errors import FerryError, failed_precondition
from providers.resources import File, parse_file
from providers.state import State, read, write
from providers.upload_sessions import delete_session_key, session_object
from providers.uploads import (
    GRANULARITY,
    Chunk,
    StartedUpload,
    UploadProgress,
    UploadSession,
    UploadStart,
    UploadStatus,
)


class UploadTarget(Protocol):
    """Where one provider puts the bytes. Sizes and offsets in bytes."""

    whole_limit: int
    """The largest file that may come in one request."""

    size_limit: int
    """The largest file there can be at all."""

    def describe(self, caller: Caller, start: UploadStart) -> Mapping[str, str]:
        """What a session must remember of its start. Raises what makes the start refused."""

    async def whole(self, session: "OpenSession", body: Body) -> File:
        """The file in one request. Repeated after an unknown outcome it makes no second file."""

    async def put(self, session: "OpenSession", offset: int, body: Body) -> None:
        """One part, durable on return; one that is there already may be read and dropped."""

    async def part_size(self, session: "OpenSession", offset: int) -> int | None:
        """The size of the part at `offset`, or None where there is none yet."""

    async def assemble(self, session: "OpenSession", total: int) -> File:
        """The file of all parts. Repeated after an unknown outcome it makes no second file."""

    async def abort(self, session: "OpenSession") -> None:
        """End what is open at the provider; the session's own objects are removed after it."""

    async def discard(self, session: "OpenSession", file: File) -> None:
        """Delete a file that was made while another request finished the same session."""


class OpenSession:
    """A session that can still take bytes: its caller is known."""

    def __init__(self, session: UploadSession, caller: Caller) -> None:
        self.id = session.id
        self.details = session.details
        self.caller = caller

    @property
    def declared(self) -> int | None:
        """The size that the start declared, in bytes."""
        text = self.details.get("size", "")
        return int(text) if text else None


_FINAL: Final = "final"
_CANCELLED: Final = "cancelled"


class ResumableUploads:
    """Implements `providers.provider.Uploads` over a target."""

    def __init__(self, target: UploadTarget, state: State) -> None:
        self._target = target
        self._state = state

    async def start(self, caller: Caller, start: UploadStart) -> StartedUpload:
        details = dict(self._target.describe(caller, start))
        if start.size is not None:
            self._check_limit(start.size)
            details["size"] = str(start.size)
        return StartedUpload(details, needs_caller=True)

    async def send(self, session: UploadSession, chunk: Chunk) -> UploadProgress:
        finished = await self._finished(session.id)
        if finished is not None:
            return await _repeat(chunk, *finished)
        opened = await self._opened(session)
        offset = await self._offset(opened, chunk)
        length = chunk.body.length or 0
        self._check(opened, chunk, offset, offset + length)
        if offset == 0 and chunk.finalize and length <= self._target.whole_limit:
            file = await self._target.whole(opened, chunk.body)
            return await self._finish(opened, file, length)
        await self._check_contiguous(opened, offset)
        await self._put_slices(opened, offset, chunk.body)
        if not chunk.finalize:
            return UploadProgress(UploadStatus.ACTIVE, received=offset + length)
        file = await self._target.assemble(opened, offset + length)
        return await self._finish(opened, file, offset + length)

    async def create(self, caller: Caller, session_id: str, start: UploadStart, body: Body) -> File:
        """A file that arrives in one request: one chunk, or slices until it ends."""
        started = await self.start(caller, start)
        session = OpenSession(UploadSession(session_id, started.details, caller), caller)
        try:
            if body.length is not None and body.length <= self._target.whole_limit:
                return await self._target.whole(session, body)
            total = await self._put_all(session, body)
            return await self._target.assemble(session, total)
        finally:
            await self._clean_up(session_id)

    async def query(self, session: UploadSession) -> UploadProgress:
        finished = await self._finished(session.id)
        if finished is not None:
            return UploadProgress(UploadStatus.FINAL, received=finished[1], file=finished[0])
        received = await self._received(await self._opened(session))
        return UploadProgress(UploadStatus.ACTIVE, received=received)

    async def cancel(self, session: UploadSession) -> UploadProgress:
        if await self._finished(session.id) is not None:
            raise _refused("the upload is finished; delete the file instead")
        opened = await self._opened(session)
        await self._target.abort(opened)
        await write(self._state, session_object(session.id, _CANCELLED), b"")
        await self._clean_up(session.id)
        return UploadProgress(UploadStatus.CANCELLED)

    async def _opened(self, session: UploadSession) -> OpenSession:
        if await self._state.head(session_object(session.id, _CANCELLED)) is not None:
            raise FerryError(
                "FAILED_PRECONDITION",
                "the upload was cancelled",
                upload_status=UploadStatus.CANCELLED,
            )
        if session.expired or session.caller is None:
            raise _refused("the upload URL has expired; start the upload again")
        return OpenSession(session, session.caller)

    async def _offset(self, session: OpenSession, chunk: Chunk) -> int:
        return await self._received(session) if chunk.offset is None else chunk.offset

    async def _received(self, session: OpenSession) -> int:
        received = 0
        while (size := await self._target.part_size(session, received)) is not None:
            received += size
            if size < GRANULARITY:
                break
        return received

    def _check(self, session: OpenSession, chunk: Chunk, offset: int, end: int) -> None:
        declared = session.declared
        if declared is not None and (end > declared or (chunk.finalize and end != declared)):
            raise _refused(f"the start declared {declared} bytes, this chunk ends at {end}")
        self._check_limit(end)
        if chunk.offset is not None and offset % GRANULARITY and end != offset:
            raise _refused(f"the offset {offset} is not a multiple of {GRANULARITY}")
        if not chunk.finalize and end % GRANULARITY:
            raise _refused(f"a chunk that does not finalize is a multiple of {GRANULARITY} bytes")

    def _check_limit(self, size: int) -> None:
        limit = self._target.size_limit
        if size > limit:
            raise _refused(f"{size} bytes are more than this provider takes in a file ({limit})")

    async def _check_contiguous(self, session: OpenSession, offset: int) -> None:
        before = (offset - 1) // GRANULARITY * GRANULARITY if offset else None
        if before is None:
            return
        size = await self._target.part_size(session, before)
        if size is None or before + size != offset:
            received = await self._received(session)
            raise _refused(f"wrong offset {offset}: {received} bytes have been received")

    async def _put_slices(self, session: OpenSession, offset: int, body: Body) -> None:
        slices, left = Slices(body.chunks), body.length or 0
        while left:
            size = min(left, GRANULARITY)
            if await self._target.part_size(session, offset) == size:
                await slices.skip(size)
            else:
                await self._target.put(session, offset, slices.take(size))
            offset, left = offset + size, left - size

    async def _put_all(self, session: OpenSession, body: Body) -> int:
        """Put a body whose length only its end tells, and say what it was."""
        slices, offset = Slices(body.chunks), 0
        while slices.position == offset:
            self._check_limit(offset)
            await self._target.put(session, offset, slices.take_up_to(GRANULARITY))
            offset += GRANULARITY
        return slices.position

    async def _finished(self, session_id: str) -> tuple[File, int] | None:
        """The file that ended this session, and its size."""
        data = await read(self._state, session_object(session_id, _FINAL))
        if data is None:
            return None
        document = orjson.loads(data)
        return parse_file(document["file"]), document["size"]

    async def _finish(self, session: OpenSession, file: File, size: int) -> UploadProgress:
        """Record the end, once: where another request was first, its file is the one."""
        document = orjson.dumps({"file": file, "size": size})
        if not await write(self._state, session_object(session.id, _FINAL), document):
            recorded = await self._finished(session.id)
            if recorded is not None and recorded[0].id != file.id:
                await self._target.discard(session, file)
                file = recorded[0]
        await self._clean_up(session.id)
        return UploadProgress(UploadStatus.FINAL, received=size, file=file)

    async def _clean_up(self, session_id: str) -> None:
        """Remove all that an ended session leaves but how it ended; its key goes first."""
        await delete_session_key(self._state, session_id)
        kept = [session_object(session_id, name) for name in (_FINAL, _CANCELLED)]
        async for found in self._state.list(session_object(session_id, "")):
            if found.name not in kept:
                await self._state.delete(found.name)


async def _repeat(chunk: Chunk, file: File, size: int) -> UploadProgress:
    """A repeat of the finalizing chunk, whose first answer was lost, is answered the same again."""
    end = size if chunk.offset is None else chunk.offset + (chunk.body.length or 0)
    if not chunk.finalize or end != size:
        raise _refused("the upload is finished")
    await drain(chunk.body)
    return UploadProgress(UploadStatus.FINAL, received=size, file=file)


def _refused(message: str) -> FerryError:
    error = failed_precondition(message)
    error.upload_status = UploadStatus.FINAL
    return error
