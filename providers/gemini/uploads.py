"""Resumable uploads at Google, with Google's URL sealed into the one that the client gets.

The state store only gets a note if a chunk may have arrived in part.
"""

from contextlib import suppress
from functools import partial

from yarl import URL

from providers.credential import Caller
from providers.errors import FerryError, failed_precondition
from providers.gemini.google_hosts import GOOGLE_HOST
from providers.gemini.google_upload import GoogleUpload
from providers.gemini.headers import answered, started
from providers.gemini.refusal import check
from providers.gemini.relay import below
from providers.gemini.transfer import ClientBytes, Transfer, Unfinished, finish
from providers.json_api.answer_shape import written_count
from providers.limits import RELAYED_FILE
from providers.named_address import named_address
from providers.retries import Retries
from providers.state import State, StateError, write
from providers.status import Status
from providers.upload import Chunk, StartedUpload, UploadProgress, UploadSession, UploadStart
from providers.uploads.upload_target import session_object
from providers.upstream import OutboundRequest, Reply, Upstream, invalid_answer


class GeminiUploads:
    def __init__(
        self, name: str, base_url: URL, upstream: Upstream, state: State, retries: Retries
    ) -> None:
        self._name = name
        self._base_url = base_url
        self._upstream = upstream
        self._state = state
        self._retries = retries

    async def start(self, caller: Caller, start: UploadStart) -> StartedUpload:
        path = "/".join(filter(None, ("/upload", start.version, start.resource)))
        request = OutboundRequest(
            method="POST",
            url=below(self._base_url, URL(path, encoded=True)),
            headers=started(caller, _start_headers(start)),
            body=start.document,
        )
        async with await self._retries.unsent(partial(self._upstream.send, request)) as reply:
            await check(self._name, reply)
            # Read to its end, so that the connection can be used for the next request.
            await reply.read(RELAYED_FILE)
            return self._parse_started(reply, start.size)

    async def send(self, session: UploadSession, chunk: Chunk) -> UploadProgress:
        google = self._open(session)
        if chunk.offset is None:
            return await finish(google)
        client_bytes = ClientBytes(chunk.offset, chunk.body)
        _check_total(session, client_bytes.end, finalize=chunk.finalize)
        transfer = Transfer(google, client_bytes, finalize=chunk.finalize)
        note = session_object(session.id, "ask-first")
        try:
            if not await self._asks_first(note):
                return await transfer.begin()
            progress = await transfer.resume()
        except Unfinished as unfinished:
            await write(self._state, note, b"")
            raise _send_again(unfinished.__cause__) from None
        with suppress(StateError):  # if the note stays, each chunk costs one more call
            await self._state.delete(note)
        return progress

    async def query(self, session: UploadSession) -> UploadProgress:
        return await self._open(session).query()

    async def cancel(self, session: UploadSession) -> UploadProgress:
        return await self._open(session).cancel()

    async def _asks_first(self, note: str) -> bool:
        """Whether a chunk may have arrived in part; also true if the state store fails."""
        try:
            return await self._state.head(note) is not None
        except StateError:
            return True

    def _parse_started(self, reply: Reply, size: int | None) -> StartedUpload:
        url = reply.headers.get("X-Goog-Upload-URL", "")
        control_url = reply.headers.get("X-Goog-Upload-Control-URL") or url
        if not url:
            raise invalid_answer("Google's answer to the start has no upload URL")
        granularity = reply.headers.get("X-Goog-Upload-Chunk-Granularity", "")
        return StartedUpload(
            details={
                "url": str(self._upload_address(url)),
                "control_url": str(self._upload_address(control_url)),
                "size": "" if size is None else str(size),
            },
            needs_caller=False,
            granularity=written_count(granularity),
            headers=answered(reply.headers),
        )

    def _upload_address(self, text: str) -> URL:
        """The chunks, and so the file, are sent there."""
        if GOOGLE_HOST.fullmatch(self._base_url.host or ""):
            return named_address(self._base_url, text, GOOGLE_HOST)
        return named_address(self._base_url, text)

    def _open(self, session: UploadSession) -> GoogleUpload:
        if session.expired:
            raise failed_precondition("the upload URL has expired; start the upload again")
        return GoogleUpload(self._name, session.details, self._upstream, self._retries)


def _send_again(cause: BaseException | None) -> FerryError:
    return FerryError(
        Status.UNAVAILABLE,
        "the chunk may have reached Google in part; send it again",
        retry_after=cause.retry_after if isinstance(cause, FerryError) else None,
    )


def _start_headers(start: UploadStart) -> dict[str, str]:
    headers = {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
    }
    if start.size is not None:
        headers["X-Goog-Upload-Header-Content-Length"] = str(start.size)
    if start.mime_type:
        headers["X-Goog-Upload-Header-Content-Type"] = start.mime_type
    if start.file_name:
        headers["X-Goog-Upload-File-Name"] = start.file_name
    return headers


def _check_total(session: UploadSession, end: int, *, finalize: bool) -> None:
    """Raises FAILED_PRECONDITION for a chunk that does not fit the declared size."""
    size = session.details["size"]
    if size and (end > int(size) or (finalize and end != int(size))):
        raise failed_precondition(f"the chunk ends at {end}, and the start declared {size} bytes")
