"""Shared by the contract tests of all providers: a client's bodies, and a fake to control."""

import hashlib
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession
from yarl import URL

from providers.body import Body
from providers.credential import Caller
from providers.credential_proof import WitnessedUpstream
from providers.errors import FerryError
from providers.memory import BUDGET_BYTES, Limits, MemoryBudget
from providers.provider import Batches, Files, Provider, Uploads
from providers.resources import BatchKind, InlineRequest, NewBatch
from providers.state import State
from providers.upload import Chunk, UploadProgress, UploadSession, UploadStart
from providers.upstream import OutboundRequest, Reply
from proxy.outbound import OutboundClient

# The end of the caller's key; a provider's own prefix comes before it.
KEY = "the-callers-own-key"
LIMITS = Limits(line=1 << 20, inline_results=64 << 20)


class Pieces:
    """A client's body; reading it can be cancelled and continued."""

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
    """Bytes in which no two blocks are equal."""
    blocks = (hashlib.sha256(str(n).encode()).digest() for n in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def body_of(data: bytes) -> Body:
    return Body(Pieces(data), len(data))


async def refused(attempt: Awaitable[object]) -> FerryError:
    """The error of `attempt`, which must not contain the caller's key."""
    with pytest.raises(FerryError) as caught:
        await attempt
    assert KEY not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
    return caught.value


def asking(text: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def inline_batch(model: str, texts: Sequence[str], **said: Any) -> NewBatch:
    """A batch whose requests ask `texts`; each has its place as metadata."""
    requests = [
        InlineRequest(
            orjson.dumps(asking(text)),
            orjson.dumps({"place": str(place)}),
            f"requests[{place}]",
        )
        for place, text in enumerate(texts)
    ]
    return NewBatch(model, BatchKind.GENERATE, requests, **said)


def json_lines(*documents: object) -> bytes:
    return b"".join(orjson.dumps(document) + b"\n" for document in documents)


def gemini_lines(*texts: str) -> bytes:
    return json_lines(*({"key": f"k-{n}", "request": asking(text)} for n, text in enumerate(texts)))


class ProviderWithFake:
    """One provider and its fake with a socket between them. `caller` makes the requests.

    The paths of its API begin with `base_path`.
    """

    provider: Provider
    state: State
    base_path = "/v1/"

    def __init__(
        self,
        caller: Caller,
        url: URL,
        upstream: OutboundClient,
        control: ClientSession,
        state: State,
    ) -> None:
        self.caller = caller
        self.url = url
        self.upstream = WitnessedUpstream(upstream)
        self.state = state
        self.memory = MemoryBudget()
        self._control = control

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
    def no_memory_reserved(self) -> bool:
        return self.memory._left == BUDGET_BYTES

    def record(self, monkeypatch: pytest.MonkeyPatch) -> list[OutboundRequest]:
        """What is sent to the fake from now on."""
        sent: list[OutboundRequest] = []
        send = self.upstream.send

        async def recording(request: OutboundRequest) -> Reply:
            sent.append(request)
            return await send(request)

        monkeypatch.setattr(self.upstream, "send", recording)
        return sent

    # --- uploads ---

    async def start(
        self, size: int | None, name: str = "a.bin", session: str = "s1", **said: Any
    ) -> UploadSession:
        start = UploadStart(display_name=name, size=size, **said)
        started = await self.uploads.start(self.caller, start)
        return UploadSession(session, started.details, self.caller, tenant=self.caller.tenant)

    async def send(
        self, session: UploadSession, data: bytes, offset: int = 0, *, finalize: bool = False
    ) -> UploadProgress:
        return await self.uploads.send(session, Chunk(offset, body_of(data), finalize))

    async def upload(self, data: bytes, name: str, session: str = "input", **said: Any) -> str:
        """Uploads a whole file and returns its id."""
        opened = await self.start(len(data), name, session, **said)
        progress = await self.send(opened, data, finalize=True)
        assert progress.file is not None
        return progress.file.id

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
        self,
        method: str,
        path: str,
        kind: str,
        *,
        query: str = "",
        nth: int = 1,
        times: int = 1,
        **fault: Any,
    ) -> None:
        """Arms a fault for the `nth` next request with this path below `base_path`.

        `path` is a pattern of all of it, `query` one that is found in the query.
        """
        where = {"method": method, "path": self._pattern(path), "query": query}
        match = {**where, "nth": nth, "times": times}
        await self.post("/_fake/faults", {"match": match, "fault": {"kind": kind, **fault}})

    async def happened(self, name: str) -> None:
        await self.get("/_fake/events", {"wait": name})

    async def release(self, name: str) -> None:
        await self.post("/_fake/release", {"name": name})

    async def calls(self, method: str, path: str = ".*") -> list[str]:
        """The paths of the requests so far, below `base_path`."""
        found = await self.requests(method, path)
        return [request["path"].removeprefix(self.base_path) for request in found]

    async def requests(self, method: str, path: str = ".*") -> list[dict[str, Any]]:
        """The requests so far, from the fake's journal."""
        query = {"method": method, "path": self._pattern(path)}
        found: list[dict[str, Any]] = (await self.get("/_fake/requests", query))["requests"]
        return found

    async def objects(self, kind: str) -> Sequence[str]:
        found: Sequence[str] = (await self.get("/_fake/objects"))[kind]
        return found

    async def sha256_of(self, native_id: str) -> str:
        return str((await self.get(f"/_fake/files/{native_id}/sha256"))["sha256"])

    async def move(self, batch_id: str, status: str) -> dict[str, Any]:
        moved: dict[str, Any] = await self.post(f"/_fake/batches/{batch_id}", {"status": status})
        return moved

    def _pattern(self, path: str) -> str:
        return f"^{self.base_path}{path}$"
