"""The OpenAI provider and the fake OpenAI with a socket between them."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from yarl import URL

from providers.body import Body
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.memory import BUDGET_BYTES, MemoryBudget
from providers.openai.batches import Limits
from providers.openai.provider import OpenAIOptions, openai
from providers.provider import Batches, Files, Provider, Uploads
from providers.resources import BatchKind, InlineRequest, NewBatch
from providers.uploads import Chunk, UploadProgress, UploadSession, UploadStart
from proxy.outbound import OutboundClient
from tests.fakes.openai import openai_app
from tests.memory_state import MemoryState

SECRET = "sk-the-callers-own-key"
CALLER = Caller(Credential(api_key=SECRET), "tenant")
MODEL = "gpt-4o-mini"
LIMITS = Limits(line=1 << 20, inline_results=64 << 20)


class Pieces:
    """A client's body whose reading can be cancelled and gone on with."""

    def __init__(self, data: bytes, size: int = 1 << 20) -> None:
        self._data, self._size = data, size

    def __aiter__(self) -> "Pieces":
        return self

    async def __anext__(self) -> bytes:
        if not self._data:
            raise StopAsyncIteration
        piece, self._data = self._data[: self._size], self._data[self._size :]
        return piece


def data_of(size: int) -> bytes:
    """Bytes no two blocks of which are alike."""
    blocks = (hashlib.sha256(str(n).encode()).digest() for n in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def body_of(data: bytes) -> Body:
    return Body(Pieces(data), len(data))


async def refused(attempt: Awaitable[object]) -> FerryError:
    """The error that `attempt` ends in; the caller's key is in none."""
    with pytest.raises(FerryError) as caught:
        await attempt
    assert SECRET not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
    return caught.value


def asking(text: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def inline(*texts: str, **said: Any) -> NewBatch:
    """A batch whose requests ask `texts`; each carries its place as metadata."""
    requests = [
        InlineRequest(
            orjson.dumps(asking(text)),
            orjson.dumps({"place": str(place)}),
            f"requests[{place}]",
        )
        for place, text in enumerate(texts)
    ]
    return NewBatch(MODEL, BatchKind.GENERATE, requests, **said)


def from_file(file_id: str, **said: Any) -> NewBatch:
    return NewBatch(MODEL, BatchKind.GENERATE, file_id, **said)


def json_lines(*documents: object) -> bytes:
    return b"".join(orjson.dumps(document) + b"\n" for document in documents)


def gemini_lines(*texts: str) -> bytes:
    return json_lines(*({"key": f"k-{n}", "request": asking(text)} for n, text in enumerate(texts)))


class OpenAIAtWork:
    def __init__(self, url: URL, upstream: OutboundClient, control: ClientSession) -> None:
        self.url = url
        self.upstream = upstream
        self.state = MemoryState()
        self.memory = MemoryBudget()
        self.provider = self.replica()
        self._control = control

    def replica(self, *, staged: bool = False, limits: Limits = LIMITS) -> Provider:
        """One more process on the same state."""
        options = OpenAIOptions(self.url / "v1", staged, limits)
        return openai("openai", options, self.upstream, self.state, self.memory)

    @property
    def uploads(self) -> Uploads:
        return self.provider.uploads

    @property
    def files(self) -> Files:
        assert self.provider.files is not None
        return self.provider.files

    @property
    def batches(self) -> Batches:
        assert self.provider.batches is not None
        return self.provider.batches

    @property
    def nothing_held(self) -> bool:
        return self.memory._left == BUDGET_BYTES

    # --- uploads ---

    async def start(
        self, size: int | None, name: str = "a.bin", session: str = "s1", **said: Any
    ) -> UploadSession:
        start = UploadStart(display_name=name, size=size, **said)
        started = await self.uploads.start(CALLER, start)
        return UploadSession(session, started.details, CALLER)

    async def send(
        self, session: UploadSession, data: bytes, offset: int = 0, *, finalize: bool = False
    ) -> UploadProgress:
        return await self.uploads.send(session, Chunk(offset, body_of(data), finalize))

    async def upload(self, data: bytes, name: str, session: str = "input") -> str:
        """A file uploaded whole; its id."""
        opened = await self.start(len(data), name, session)
        progress = await self.send(opened, data, finalize=True)
        assert progress.file is not None
        return progress.file.id

    # --- the fake's own API, as another tool uses it ---

    async def native(self, path: str, method: str = "GET", **order: Any) -> Any:
        headers = {"Authorization": f"Bearer {SECRET}"}
        url = self.url / "v1" / path
        async with self._control.request(method, url, headers=headers, **order) as reply:
            data = await reply.read()
            assert reply.status == 200, data
            return orjson.loads(data) if "json" in reply.content_type else data

    # --- the fake's control surface ---

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        async with self._control.get(self.url.join(URL(path)), params=query) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    async def post(self, path: str, order: Any) -> Any:
        async with self._control.post(self.url.join(URL(path)), json=order) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    async def strike(
        self, method: str, path: str, kind: str, *, nth: int = 1, times: int = 1, **fault: Any
    ) -> None:
        """Arm a fault for the `nth` request from now whose path ends in `path`."""
        match = {"method": method, "path": f"^/v1/{path}$", "nth": nth, "times": times}
        await self.post("/_fake/faults", {"match": match, "fault": {"kind": kind, **fault}})

    async def happened(self, name: str) -> None:
        await self.get("/_fake/events", {"wait": name})

    async def release(self, name: str) -> None:
        await self.post("/_fake/release", {"name": name})

    async def calls(self, method: str, path: str = ".*") -> list[str]:
        """The paths of the requests so far, below /v1/."""
        query = {"method": method, "path": f"^/v1/{path}$"}
        found = (await self.get("/_fake/requests", query))["requests"]
        return [request["path"].removeprefix("/v1/") for request in found]

    async def objects(self, kind: str) -> Sequence[str]:
        found: Sequence[str] = (await self.get("/_fake/objects"))[kind]
        return found

    async def sha256_of(self, native_id: str) -> str:
        return str((await self.get(f"/_fake/files/{native_id}/sha256"))["sha256"])

    async def move(self, batch_id: str, status: str) -> dict[str, Any]:
        moved: dict[str, Any] = await self.post(f"/_fake/batches/{batch_id}", {"status": status})
        return moved


@asynccontextmanager
async def openai_at_work() -> AsyncIterator[OpenAIAtWork]:
    upstream = OutboundClient()
    async with TestServer(openai_app()) as server, ClientSession() as control:
        try:
            yield OpenAIAtWork(server.make_url("/"), upstream, control)
        finally:
            await upstream.close()
