"""One resumable upload at Google, command by command (gemini.md section 3.2)."""

from collections.abc import Mapping
from functools import partial

from yarl import URL

from providers.body import Body, in_memory
from providers.errors import failed_precondition
from providers.gemini.headers import answered
from providers.gemini.refusal import GoogleRefusal, check
from providers.json_api.answer_shape import written_count
from providers.limits import RELAYED_FILE
from providers.retries import Retries
from providers.status import Status
from providers.upload import UploadProgress, UploadStatus
from providers.upstream import OutboundRequest, Reply, Upstream, invalid_answer


class GoogleUpload:
    """Commands need only the URL that Google returned: no key is sent with them.

    Every method raises GoogleRefusal for an error from Google, and UpstreamError if there is no
    answer, or an invalid one.
    """

    def __init__(
        self, provider: str, details: Mapping[str, str], upstream: Upstream, retries: Retries
    ) -> None:
        self._provider = provider
        self._url = URL(details["url"], encoded=True)
        self._control_url = URL(details["control_url"], encoded=True)
        self._upstream = upstream
        self._retries = retries

    async def put(self, offset: int, body: Body, *, finalize: bool) -> UploadProgress:
        """ACTIVE, or FINAL with `document`.

        The Go SDK ends with an empty `upload, finalize`. Unlike a bare `finalize` it has an offset,
        so Google notices if the file is shorter than the sender believes.
        """
        headers = {"X-Goog-Upload-Offset": str(offset), "Content-Type": "application/octet-stream"}
        if finalize:
            return await self._send("upload, finalize", UploadStatus.FINAL, body=body, **headers)
        return await self._send("upload", UploadStatus.ACTIVE, body=body, **headers)

    async def finalize(self) -> UploadProgress:
        """FINAL with `document`."""
        return await self._send("finalize", UploadStatus.FINAL)

    async def query(self) -> UploadProgress:
        """ACTIVE with `received`, or FINAL with `document`; FAILED_PRECONDITION if cancelled."""
        ask = partial(self._send, "query", UploadStatus.ACTIVE, UploadStatus.FINAL)
        try:
            progress = await self._retries.idempotent(ask)
        except GoogleRefusal as refusal:
            if not refusal.upload_status:
                raise
            raise failed_precondition(
                "the upload was cancelled", upload_status=UploadStatus.CANCELLED
            ) from None
        if progress.status is UploadStatus.ACTIVE and progress.received is None:
            raise invalid_answer("Google did not say how much it has received")
        return progress

    async def cancel(self) -> UploadProgress:
        """CANCELLED; FAILED_PRECONDITION if the upload has ended."""
        try:
            return await self._send("cancel", UploadStatus.CANCELLED)
        except GoogleRefusal as refusal:
            if refusal.code != 400:
                raise
            # A cancel has no arguments, so the state of the upload must be the reason.
            raise refusal.restated(Status.FAILED_PRECONDITION) from None

    async def _send(
        self, command: str, *expected: UploadStatus, body: Body | None = None, **headers: str
    ) -> UploadProgress:
        url = self._control_url if command in ("query", "cancel") else self._url
        protocol = {
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": command,
            "Accept-Encoding": "identity",
        }
        request = OutboundRequest("POST", url, protocol | headers, body or in_memory(b""))
        async with await self._retries.unsent(partial(self._upstream.send, request)) as reply:
            await check(self._provider, reply)
            progress = await _parse_progress(reply)
        if progress.status not in expected:
            raise invalid_answer(f"Google answered unexpectedly: {progress.status}")
        return progress


async def _parse_progress(reply: Reply) -> UploadProgress:
    # Always read to its end, so that the connection can be used for the next request.
    document = await reply.read(RELAYED_FILE)
    headers = answered(reply.headers)
    match reply.headers.get("X-Goog-Upload-Status"):
        case UploadStatus.ACTIVE:
            received = written_count(reply.headers.get("X-Goog-Upload-Size-Received", ""))
            return UploadProgress(UploadStatus.ACTIVE, received=received, headers=headers)
        case UploadStatus.FINAL:
            return UploadProgress(UploadStatus.FINAL, document=document, headers=headers)
        case UploadStatus.CANCELLED:
            return UploadProgress(UploadStatus.CANCELLED, headers=headers)
    raise invalid_answer("Google's answer has no upload status")
