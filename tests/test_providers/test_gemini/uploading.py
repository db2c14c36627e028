"""A session in which bytes 40 to 60 are sent, and the possible answers of Google."""

import pytest
from yarl import URL

from providers.body import Body
from providers.errors import FerryError
from providers.gemini.provider import gemini
from providers.memory import MemoryBudget
from providers.status import Status
from providers.upload import Chunk, UploadProgress, UploadSession
from providers.upstream import UpstreamError
from tests.memory_state import MemoryState
from tests.test_providers.test_gemini.scripted_upstream import (
    Answer,
    Failure,
    ScriptedUpstream,
    in_pieces,
)

GOOGLE = URL("https://generativelanguage.googleapis.com")
UPLOAD_URL = "https://uploads.example/upload/v1/files?upload_id=x"
DATA = bytes(range(40, 60))
NOTE = "uploads/s1/ask-first"

ACTIVE = Answer(headers={"X-Goog-Upload-Status": "active"})
DOCUMENT = b'{"file": {"name": "files/x", "sizeBytes": "60"}}'
FINAL = Answer(200, {"X-Goog-Upload-Status": "final"}, DOCUMENT)
LOST = Failure(UpstreamError(Status.UNAVAILABLE, "broke off"))
SILENT = Failure(UpstreamError(Status.DEADLINE_EXCEEDED, "silent"))


def refused(code: int, told: str = "active", takes: int | None = None) -> Answer:
    headers = {"X-Goog-Upload-Status": told} if told else {}
    return Answer(code, headers, b'{"error": {"message": "Google said no."}}', takes)


def has(received: int) -> Answer:
    headers = {"X-Goog-Upload-Status": "active", "X-Goog-Upload-Size-Received": str(received)}
    return Answer(headers=headers)


class Uploading:
    """One session against one script; `body` is what the client still has to send."""

    def __init__(self, *script: Answer | Failure, declared: str = "", noted: bool = False) -> None:
        self.upstream = ScriptedUpstream(*script)
        self.state = MemoryState()
        self.noted = noted
        self._uploads = gemini(
            "google", GOOGLE, self.upstream, self.state, MemoryBudget(), 1 << 20
        ).uploads
        details = {"url": UPLOAD_URL, "control_url": UPLOAD_URL, "size": declared}
        self._session = UploadSession("s1", details, None)

    async def send(
        self,
        *,
        finalize: bool = False,
        data: bytes = DATA,
        offset: int = 40,
        body: Body | None = None,
    ) -> UploadProgress:
        if self.noted:
            await self.state.create(NOTE, in_pieces(b""))
        self.body = body or in_pieces(data)
        return await self._uploads.send(self._session, Chunk(offset, self.body, finalize))

    async def fail(self, *, finalize: bool = False, offset: int = 40) -> FerryError:
        with pytest.raises(FerryError) as caught:
            await self.send(finalize=finalize, offset=offset)
        assert self.upstream.done
        return caught.value

    @property
    def went(self) -> list[tuple[str, str, bytes]]:
        return [(sent.command, sent.offset, sent.body) for sent in self.upstream.sent]

    async def left(self) -> bytes:
        return b"".join([piece async for piece in self.body.chunks])
