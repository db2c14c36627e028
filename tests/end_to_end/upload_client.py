"""The upload protocols by plain HTTP: requests that no SDK sends, and answers that SDKs hide.

A file is an image unless a test says so: every upstream that takes parts takes those in parts.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from aiohttp import ClientSession, MultipartWriter
from multidict import CIMultiDictProxy
from yarl import URL

from tests.end_to_end.fake_client import Kind


@dataclass(frozen=True)
class Answer:
    code: int
    headers: CIMultiDictProxy[str]
    document: Any

    @property
    def upload_status(self) -> str | None:
        return self.headers.get("X-Goog-Upload-Status")

    @property
    def file(self) -> dict[str, Any]:
        assert (self.code, self.upload_status) == (200, "final"), self
        file: dict[str, Any] = self.document["file"]
        return file

    @property
    def error(self) -> tuple[int, str, str | None]:
        """The HTTP status, Google's name for it, and the upload's status."""
        return self.code, self.document["error"]["status"], self.upload_status


class UploadClient:
    """A client of one proxy for one kind of upstream."""

    def __init__(self, base_url: str, kind: Kind, session: ClientSession) -> None:
        self.base_url = base_url
        self.kind = kind
        self._session = session

    async def start(
        self,
        size: int | None,
        *,
        mime_type: str = "image/png",
        display_name: str = "a name",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = {
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Type": mime_type,
            **({} if size is None else {"X-Goog-Upload-Header-Content-Length": str(size)}),
            **(headers or {}),
        }
        return await self.create({"file": {"displayName": display_name}}, sent)

    async def begin(self, size: int | None, **options: Any) -> str:
        """Starts an upload; returns its URL."""
        answer = await self.start(size, **options)
        assert (answer.code, answer.upload_status) == (200, "active"), answer
        return answer.headers["X-Goog-Upload-URL"]

    async def create(self, body: Any, headers: Mapping[str, str], query: str = "") -> Answer:
        """A POST that begins an upload; `body` is JSON, bytes, a stream or a multipart writer."""
        url = f"{self.base_url}/upload/v1beta/files{query}"
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            headers = {"Content-Type": "application/json", **headers}
        return await self.post(url, body, {**self.authorised, **headers})

    async def related(self, spec: Any, content: bytes, mime_type: str, query: str = "") -> Answer:
        """An upload by the multipart protocol."""
        with MultipartWriter("related") as writer:
            writer.append_json(spec)
            writer.append(BytesIO(content), {"Content-Type": mime_type})
        protocol = {} if query else {"X-Goog-Upload-Protocol": "multipart"}
        return await self.create(writer, {**writer.headers, **protocol}, query)

    @property
    def authorised(self) -> dict[str, str]:
        return {"x-goog-api-key": self.kind.key, **self.kind.headers}

    async def send(
        self,
        url: str,
        offset: int,
        data: bytes | AsyncIterator[bytes],
        *,
        finalize: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Sends a chunk as Python does: without a key and without the provider's name."""
        sent = {
            "X-Goog-Upload-Command": "upload, finalize" if finalize else "upload",
            "X-Goog-Upload-Offset": str(offset),
            **(headers or {}),
        }
        return await self.post(url, data, sent)

    async def insist(self, url: str, offset: int, data: bytes, *, finalize: bool = False) -> Answer:
        """Sends a chunk up to three times, as SDKs do while the answer has no upload status."""
        answer = await self.send(url, offset, data, finalize=finalize)
        for _ in range(2):
            if answer.upload_status is None:
                answer = await self.send(url, offset, data, finalize=finalize)
        assert answer.code == 200, answer
        return answer

    async def command(self, url: str, command: str) -> Answer:
        return await self.post(url, b"", {"X-Goog-Upload-Command": command})

    async def post(self, url: str, body: Any, headers: Mapping[str, str]) -> Answer:
        """Any POST; checks what the protocol requires of every answer."""
        target = URL(url, encoded=True)
        body = BytesIO(body) if isinstance(body, bytes) else body
        async with self._session.post(target, data=body, headers=headers) as reply:
            answer = Answer(reply.status, reply.headers, await reply.json())
        _check_status_header(answer)
        return answer


def _check_status_header(answer: Answer) -> None:
    """SDKs skip a chunk whose answer says `active`, and repeat one whose answer has no status."""
    if answer.upload_status == "active":
        assert answer.code == 200, answer
    if answer.code >= 500:
        assert answer.upload_status is None, answer
