"""The resumable protocol for every provider that is not Google itself (contract.md section 4).

The rules for offsets, sizes and the end of a session are here; the provider's `UploadTarget` stores
the bytes. Each slice of 8 MiB is one part, numbered by its offset. So a repeat through any replica,
in chunks of any size, writes the same bytes to the same part.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import orjson

from providers.body import Body, Slices, TruncatedBody, drain
from providers.credential import Caller
from providers.errors import FerryError, failed_precondition
from providers.resources import File
from providers.state import State, read_as, write
from providers.status import Status
from providers.upload import (
    GRANULARITY,
    Chunk,
    StartedUpload,
    UploadProgress,
    UploadSession,
    UploadStart,
    UploadStatus,
)
from providers.uploads.batch_inputs import by_first_line, by_name_or_type
from providers.uploads.undecided_starts import UndecidedStarts, undecided_details
from providers.uploads.upload_target import (
    OpenSession,
    UploadTarget,
    delete_session_key,
    session_object,
)

_END: Final = "end"

_log: Final = logging.getLogger("genai_ferry.uploads")


@dataclass(frozen=True, slots=True)
class _End:
    """How a session ended: with a file of `size` bytes; cancelled if `file` is None."""

    file: File | None = None
    size: int = 0


class ResumableUploads:
    """Implements `providers.provider.Uploads` over a target."""

    def __init__(self, target: UploadTarget, state: State) -> None:
        self._target = target
        self._state = state
        self._undecided = UndecidedStarts(target, state)

    async def start(self, caller: Caller, start: UploadStart) -> StartedUpload:
        batch_input = by_name_or_type(start)
        details = await self._described(caller, replace(start, batch_input=batch_input is True))
        if batch_input is None:
            size = {"size": details["size"]} if "size" in details else {}
            details = {**undecided_details(start), **size}
        return StartedUpload(details, needs_caller=True)

    async def send(self, session: UploadSession, chunk: Chunk) -> UploadProgress:
        # A session that has ended has no key, so no caller, unless a process died in between. Then
        # the end is found after a chunk that is not the last one.
        if chunk.finalize or session.caller is None:
            end = await self._end(session.id)
            if end is not None:
                return await _repeat(chunk, end)
        opened = await self._opened(session)
        try:
            progress = await self._take(opened, chunk)
        except (FerryError, TruncatedBody):
            overtaken = await self._overtaken(opened, chunk)
            if overtaken is None:
                raise
            return overtaken
        if progress.status is UploadStatus.FINAL:
            return progress
        return await self._overtaken(opened, chunk) or progress

    async def create(self, caller: Caller, session_id: str, start: UploadStart, body: Body) -> File:
        """Make a file from the body of one request: in one call if it fits, else in slices."""
        batch_input = by_name_or_type(start)
        if batch_input is None:
            batch_input, body = await by_first_line(body)
        start = replace(start, size=body.length, batch_input=batch_input)
        details = await self._described(caller, start)
        session = OpenSession(UploadSession(session_id, details, caller), caller)
        try:
            if body.length is not None and body.length <= self._target.whole_limit:
                return await self._target.whole(session, body)
            total = await self._put_all(session, body)
            return await self._target.assemble(session, total)
        except BaseException:
            await self._abort(session)
            raise
        finally:
            await self._clean_up(session_id)

    async def query(self, session: UploadSession) -> UploadProgress:
        end = await self._end(session.id)
        if end is None:
            received = await self._received(await self._opened(session))
            end = await self._end(session.id)
            if end is None:
                return UploadProgress(UploadStatus.ACTIVE, received=received)
        return _answer(end)

    async def cancel(self, session: UploadSession) -> UploadProgress:
        end = await self._end(session.id)
        if end is None:
            opened = await self._opened(session)
            # The process of that request may have died before it recorded the end.
            file = None if opened.undecided else await self._target.unanswered(opened)
            made = _End() if file is None else _End(file, file.size or 0)
            end = await self._record(session.id, made)
            if end.file is None:
                await self._abort(opened)
            await self._clean_up(session.id)
            if end.file is None:
                return UploadProgress(UploadStatus.CANCELLED)
        _answer(end)
        raise _refused("the upload is finished; delete the file instead")

    async def _described(self, caller: Caller, start: UploadStart) -> Mapping[str, str]:
        details = dict(await self._target.describe(caller, start))
        if start.size is not None:
            self._check_limit(start.size)
            details["size"] = str(start.size)
        return details

    async def _opened(self, session: UploadSession) -> OpenSession:
        if session.expired or session.caller is None:
            raise _refused("the upload URL has expired; start the upload again")
        opened = OpenSession(session, session.caller)
        await self._undecided.recall(opened)
        return opened

    async def _take(self, session: OpenSession, chunk: Chunk) -> UploadProgress:
        offset = await self._received(session) if chunk.offset is None else chunk.offset
        length = chunk.body.length or 0
        end = offset + length
        self._check(session, chunk, offset, end)
        if chunk.finalize and session.declared is None:
            await self._check_end(session, end)
        if offset == 0 and session.undecided:
            chunk = replace(chunk, body=await self._undecided.decide(session, chunk.body))
        if offset == 0 and chunk.finalize and length <= self._target.whole_limit:
            return await self._finish(session, await self._target.whole(session, chunk.body), end)
        await self._check_contiguous(session, offset)
        await self._put_slices(session, offset, chunk.body)
        if not chunk.finalize:
            return UploadProgress(UploadStatus.ACTIVE, received=end)
        return await self._finish(session, await self._target.assemble(session, end), end)

    async def _overtaken(self, session: OpenSession, chunk: Chunk) -> UploadProgress | None:
        """The answer if another request has ended the session; this one's parts are removed."""
        end = await self._end(session.id)
        if end is None:
            return None
        await self._abort(session)
        await self._clean_up(session.id)
        return await _repeat(chunk, end)

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
            raise FerryError(
                Status.INVALID_ARGUMENT,
                f"a file of {size} bytes is larger than this provider accepts ({limit})",
                upload_status=UploadStatus.FINAL,
            )

    async def _check_end(self, session: OpenSession, end: int) -> None:
        """A file has every byte that was acknowledged."""
        received = await self._received(session)
        if received > end:
            raise _refused(f"{received} bytes have been received, and this chunk ends at {end}")

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
            there = await self._target.part_size(session, offset)
            if there is None:
                await self._target.put(session, offset, slices.take(size))
            elif there == size:
                await slices.skip(size)
            else:
                raise _refused(f"{there} bytes, not {size}, have been received from {offset} on")
            offset, left = offset + size, left - size

    async def _put_all(self, session: OpenSession, body: Body) -> int:
        """Store a body whose length may be unknown; returns its length."""
        if body.length is not None:
            await self._put_slices(session, 0, body)
            return body.length
        slices, offset = Slices(body.chunks), 0
        while slices.position == offset:
            self._check_limit(offset)
            await self._target.put(session, offset, slices.take_up_to(GRANULARITY))
            offset += GRANULARITY
        return slices.position

    async def _end(self, session_id: str) -> _End | None:
        return await read_as(self._state, session_object(session_id, _END), _End)

    async def _record(self, session_id: str, end: _End) -> _End:
        """Record `end` as the end of the session. Returns it, or the end recorded first."""
        name = session_object(session_id, _END)
        if await write(self._state, name, orjson.dumps(end)):
            return end
        return await self._end(session_id) or end

    async def _finish(self, session: OpenSession, file: File, size: int) -> UploadProgress:
        end = await self._record(session.id, _End(file, size))
        overtaken = end.file is None or end.file.id != file.id
        if overtaken:
            await self._target.discard(session, file)
        await self._clean_up(session.id)
        return replace(_answer(end), repeated=overtaken)

    async def _abort(self, session: OpenSession) -> None:
        try:
            await self._target.abort(session)
        except FerryError as error:
            # The session has ended nevertheless; providers drop unfinished uploads after some time.
            _log.warning("an upload could not be aborted at the provider: %s", error.status.name)

    async def _clean_up(self, session_id: str) -> None:
        """Remove the objects of an ended session, first its key; the record of its end stays."""
        await delete_session_key(self._state, session_id)
        async for found in self._state.list(session_object(session_id, "")):
            if found.name != session_object(session_id, _END):
                await self._state.delete(found.name)


def _answer(end: _End) -> UploadProgress:
    if end.file is None:
        raise failed_precondition("the upload was cancelled", upload_status=UploadStatus.CANCELLED)
    return UploadProgress(UploadStatus.FINAL, received=end.size, file=end.file)


async def _repeat(chunk: Chunk, end: _End) -> UploadProgress:
    """The answer to a repeated last chunk, whose first answer was lost; others are refused."""
    answer = _answer(end)
    reaches = end.size if chunk.offset is None else chunk.offset + (chunk.body.length or 0)
    if not chunk.finalize or reaches != end.size:
        raise _refused("the upload is finished")
    await drain(chunk.body)
    return replace(answer, repeated=True)


def _refused(message: str) -> FerryError:
    return failed_precondition(message, upload_status=UploadStatus.FINAL)
