"""Sends one chunk to Google, also if its outcome is unclear.

SDKs repeat a chunk with the same offset until they get an answer, and skip bytes if the answer is
`active` too early (sdk-wire.md section 2). So if an outcome is unclear, Google is asked what it has
received, and is sent the rest.
"""

from collections.abc import Awaitable
from dataclasses import replace

import orjson

from providers.body import Body, Slices, TruncatedBody
from providers.errors import FerryError, failed_precondition, invalid_argument
from providers.gemini.google_upload import GoogleUpload
from providers.gemini.refusal import GoogleRefusal
from providers.upload import UploadProgress, UploadStatus
from providers.upstream import UpstreamError, invalid_answer


class BytesGone(Exception):
    """Bytes are needed that were already read."""


class ClientBytes:
    """The bytes of one chunk, which can be read only once.

    `offset`, `end` and `position` (that of the next byte) are offsets in the file.
    """

    def __init__(self, offset: int, body: Body) -> None:
        """Raises INVALID_ARGUMENT for a body without a declared length."""
        if body.length is None:
            raise invalid_argument("a chunk needs a Content-Length")
        self.offset = offset
        self.end = offset + body.length
        self._bytes = Slices(body.chunks)

    @property
    def position(self) -> int:
        return self.offset + self._bytes.position

    @property
    def exhausted(self) -> bool:
        return self.position == self.end

    def rest(self) -> Body:
        """Everything from `position` on. What is read of it moves `position`."""
        return self._bytes.take(self.end - self.position)

    async def skip_to(self, offset: int) -> None:
        """Read and drop bytes up to `offset`, or to the end if that comes first.

        Raises BytesGone if `offset` was already passed, TruncatedBody if the body ends early.
        """
        if self.position > offset:
            raise BytesGone
        await self._bytes.skip(min(offset, self.end) - self.position)


class Unfinished(Exception):
    """Google may have a part of the chunk, so a repeat must ask for it before sending."""


async def finish(google: GoogleUpload) -> UploadProgress:
    """A bare `finalize`. It has no bytes, so it can be repeated at any time."""
    try:
        return await google.finalize()
    except (GoogleRefusal, UpstreamError) as error:
        if not _is_unclear(error):
            raise
        standing = await google.query()
        if standing.status is UploadStatus.FINAL:
            return replace(standing, repeated=isinstance(error, GoogleRefusal))
        raise


class Transfer:
    """Raises GoogleRefusal or UpstreamError if nothing of the chunk arrived, else Unfinished."""

    def __init__(self, google: GoogleUpload, client_bytes: ClientBytes, *, finalize: bool) -> None:
        self._google = google
        self._bytes = client_bytes
        self._finalize = finalize

    async def begin(self) -> UploadProgress:
        try:
            return await self._put()
        except (GoogleRefusal, UpstreamError) as error:
            if not _is_unclear(error):
                raise
            return await self._recover(error)

    async def resume(self) -> UploadProgress:
        """For a chunk of which Google may have a part: asks before sending."""
        return await self._continue_from(await _unless_permanent(self._google.query()))

    async def _recover(self, error: FerryError) -> UploadProgress:
        standing = await _unless_permanent(self._google.query())
        was_final = standing.status is UploadStatus.FINAL and isinstance(error, GoogleRefusal)
        try:
            progress = await self._continue_from(standing)
            return replace(progress, repeated=was_final or progress.repeated)
        except (BytesGone, TruncatedBody):
            if standing.received == self._bytes.offset:
                raise error from None
            raise Unfinished from error

    async def _continue_from(self, standing: UploadProgress) -> UploadProgress:
        """Send what is missing; `standing` says what Google has received."""
        if standing.status is UploadStatus.FINAL:
            return await self._repeated(standing)
        received = standing.received or 0
        if received < self._bytes.offset:
            raise _out_of_step(self._bytes.offset, received)
        if self._finalize and received > self._bytes.end:
            raise _out_of_step(self._bytes.end, received)
        await self._bytes.skip_to(received)
        if self._bytes.exhausted and not self._finalize:
            return UploadProgress(UploadStatus.ACTIVE, received=received)
        try:
            return await _unless_permanent(self._put())
        except GoogleRefusal as error:
            if not error.unclear:
                raise
            # Another replica may have finished it after `standing`.
            now = await _unless_permanent(self._google.query())
            if now.status is not UploadStatus.FINAL:
                raise
            return replace(await self._repeated(now), repeated=True)

    async def _repeated(self, final: UploadProgress) -> UploadProgress:
        if not self._finalize:
            raise failed_precondition("the upload is finished: it takes no more bytes")
        await self._bytes.skip_to(self._bytes.end)
        size = _size_of(final.document or b"")
        if size not in (None, self._bytes.end):
            raise failed_precondition(
                f"the upload is finished with {size} bytes, and this chunk ends at"
                f" {self._bytes.end}"
            )
        return final

    async def _put(self) -> UploadProgress:
        progress = await self._google.put(
            self._bytes.position, self._bytes.rest(), finalize=self._finalize
        )
        if not self._bytes.exhausted:
            raise invalid_answer("Google answered before the chunk was complete")
        return replace(progress, received=self._bytes.end)


async def _unless_permanent(call: Awaitable[UploadProgress]) -> UploadProgress:
    """The answer. Raises Unfinished for an error after which the same chunk may still arrive."""
    try:
        return await call
    except (GoogleRefusal, UpstreamError) as error:
        if error.permanent:
            raise
        raise Unfinished from error


def _is_unclear(error: GoogleRefusal | UpstreamError) -> bool:
    return error.unclear if isinstance(error, GoogleRefusal) else not error.unsent


def _out_of_step(offset: int, received: int) -> FerryError:
    return failed_precondition(
        f"the chunk is for offset {offset}, and the upload has received {received} bytes"
    )


def _size_of(document: bytes) -> int | None:
    """The file's size in bytes; None if Google's answer does not have it."""
    try:
        return int(orjson.loads(document)["file"]["sizeBytes"])
    except (ValueError, TypeError, KeyError):
        return None
