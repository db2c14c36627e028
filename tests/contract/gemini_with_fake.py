"""The Gemini provider and the fake Gemini with a socket between them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from yarl import URL

from providers.body import Body
from providers.credential import Caller, Credential
from providers.credential_proof import WitnessedUpstream
from providers.gemini.provider import gemini
from providers.memory import MemoryBudget
from providers.provider import Provider, Uploads
from providers.state import State
from providers.upload import Chunk, UploadProgress, UploadSession, UploadStart
from providers.upstream import Reply
from proxy.outbound import OutboundClient
from tests.contract.provider_with_fake import Pieces
from tests.fakes.gemini import gemini_app
from tests.memory_state import MemoryState

CHUNK = 256 << 10
"""Bytes; the fake keeps whole blocks of this size of a chunk that breaks off."""

CALLER = Caller(Credential(api_key="AIzaCaller"), "tenant", {"user-agent": "sdk"})


class GeminiWithFake:
    def __init__(self, url: URL, upstream: OutboundClient, control: ClientSession) -> None:
        self.url = url
        self._upstream = WitnessedUpstream(upstream)
        self.state = MemoryState()
        self.provider = self.replica(self.state)
        self._control = control

    def replica(self, state: State) -> Provider:
        """The provider over another state store."""
        return gemini("google", self.url, self._upstream, state, MemoryBudget(), 1 << 20)

    @property
    def uploads(self) -> Uploads:
        return self.provider.uploads

    @property
    def relay(self) -> Callable[..., Awaitable[Reply]]:
        assert self.provider.relay is not None
        return self.provider.relay.relay

    # --- uploads ---

    async def start(self, size: int | None, **said: Any) -> UploadSession:
        started = await self.uploads.start(CALLER, UploadStart(size=size, version="v1beta", **said))
        return UploadSession("s1", started.details, None)

    async def send(
        self, session: UploadSession, data: bytes, offset: int = 0, *, finalize: bool = False
    ) -> UploadProgress:
        body = Body(Pieces(data, 16 << 10), len(data))
        return await self.uploads.send(session, Chunk(offset, body, finalize))

    async def sha256(self, progress: UploadProgress) -> str:
        """The hash of the bytes that the fake stored for this file."""
        assert progress.document is not None
        name = orjson.loads(progress.document)["file"]["name"]
        return str((await self.get(f"/_fake/files/{name}/sha256"))["sha256"])

    # --- the fake's control surface ---

    async def get(self, path: str) -> Any:
        async with self._control.get(self.url.join(URL(path))) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    async def post(self, path: str, order: Any) -> Any:
        async with self._control.post(self.url.join(URL(path)), json=order) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    async def strike(self, command: str, kind: str, *, nth: int = 1, **fault: Any) -> None:
        """Arms a fault for the `nth` next request with exactly this upload command."""
        headers = {"X-Goog-Upload-Command": f"^{command}$"}
        match = {"method": "POST", "headers": headers, "nth": nth}
        await self.post("/_fake/faults", {"match": match, "fault": {"kind": kind, **fault}})

    async def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get("/_fake/requests"))["requests"]
        return found

    async def commands(self) -> list[str]:
        requests = await self.requests()
        return [request["headers"]["x-goog-upload-command"] for request in requests]


@asynccontextmanager
async def gemini_with_fake() -> AsyncIterator[GeminiWithFake]:
    upstream = OutboundClient()
    async with TestServer(gemini_app()) as server, ClientSession() as control:
        try:
            gemini = GeminiWithFake(server.make_url("/"), upstream, control)
            await gemini.post("/_fake/settings", {"granularity": CHUNK})
            yield gemini
        finally:
            await upstream.close()
