"""Two replicas are replaced one after the other under load, as a rolling update does."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession, TCPConnector, web
from aiohttp.test_utils import TestServer

from tests.end_to_end.batch_client import BatchClient, asking, inline, text_of
from tests.end_to_end.conftest import MIB
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.upload_client import UploadClient
from tests.processes import Process, Upstreams, start_proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

CHUNK = 8 * MIB
DATA = pattern_bytes(CHUNK + MIB)
SHA256 = hashlib.sha256(DATA).hexdigest()

# Longer than the service below needs to notice that a replica is not ready.
GRACE_SECONDS = 2
PROBE_SECONDS = 0.5


class Service:
    """Sends requests to each ready replica in turn, as a Service of Kubernetes does.

    It repeats nothing: a replica that closed its port too early would fail a request.
    """

    def __init__(self, session: ClientSession) -> None:
        self.replicas: list[Process] = []
        self.served: dict[int, int] = {}
        self.url = ""
        self._session = session
        self._ready: list[Process] = []

    async def probe(self) -> None:
        while True:
            self._ready = [each for each in self.replicas if await self._is_ready(each)]
            await asyncio.sleep(PROBE_SECONDS)

    async def until_ready(self, replica: Process) -> None:
        while replica not in self._ready:  # noqa: ASYNC110 - set by `probe`
            await asyncio.sleep(PROBE_SECONDS)

    async def _is_ready(self, replica: Process) -> bool:
        try:
            async with self._session.get(f"{replica.ready['admin_url']}/readyz") as reply:
                return reply.status == 200
        except ClientError:  # it has ended
            return False

    async def forward(self, request: web.Request) -> web.Response:
        body = await request.read()
        replica = self._ready.pop(0)
        self._ready.append(replica)
        self.served[replica.pid] = self.served.get(replica.pid, 0) + 1
        headers = request.headers.copy()
        headers["X-Forwarded-Host"] = headers.pop("Host")
        url = replica.url + request.path_qs
        data = BytesIO(body) if body else None
        async with self._session.request(request.method, url, headers=headers, data=data) as reply:
            headers = reply.headers.copy()
            for name in ("Content-Length", "Transfer-Encoding", "Connection"):
                headers.popall(name, None)
            return web.Response(status=reply.status, body=await reply.read(), headers=headers)


@asynccontextmanager
async def service() -> AsyncIterator[Service]:
    """It needs a new connection for each request; an open one is served during the drain."""
    app = web.Application(client_max_size=2 * CHUNK)
    async with ClientSession(connector=TCPConnector(force_close=True)) as session:
        between = Service(session)
        app.router.add_route("*", "/{path:.*}", between.forward)
        async with TestServer(app) as server, _probing(between):
            between.url = str(server.make_url("/genai"))
            yield between


@asynccontextmanager
async def _probing(between: Service) -> AsyncIterator[None]:
    probing = asyncio.create_task(between.probe())
    try:
        yield
    finally:
        probing.cancel()
        for replica in between.replicas:
            await replica.kill()


async def replica(between: Service, state: Path, upstreams: Upstreams) -> Process:
    env = {"FERRY_DRAIN_GRACE_SECONDS": str(GRACE_SECONDS), "FERRY_ADMIN_PORT": "0"}
    started = await start_proxy(state, upstreams, env)
    between.replicas.append(started)
    await between.until_ready(started)
    return started


async def replace(between: Service, old: Process, state: Path, upstreams: Upstreams) -> None:
    await replica(between, state, upstreams)
    stopping = asyncio.create_task(old.stop())
    await old.line_with('"draining"')
    await old.line_with('"closed to new connections"')
    between.replicas.remove(old)
    assert await stopping == 0


@pytest.mark.parametrize("fake", ["gemini", "openai"], indirect=True)
async def test_a_rolling_update_under_load_loses_nothing(
    fakes: Mapping[str, FakeClient], fake: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    upstreams = {name: each.as_upstream for name, each in fakes.items()}
    done = asyncio.Event()
    files: list[str] = []
    batches: list[str] = []

    async def upload(client: UploadClient) -> None:
        while not done.is_set():
            url = await client.begin(len(DATA))
            sent = await client.send(url, 0, DATA[:CHUNK])
            assert (sent.code, sent.upload_status) == (200, "active"), sent
            last = await client.send(url, CHUNK, DATA[CHUNK:], finalize=True)
            files.append(last.file["name"])

    async def create(client: BatchClient) -> None:
        while not done.is_set():
            text = f"number {len(batches)}"
            name = (await client.create(inline({"request": asking(text)}))).ok["name"]
            batches.append(name)
            (result,) = await client.results(await client.ended(name))
            assert text_of(result) == f"echo: {text}"

    async with service() as between:
        old = [await replica(between, tmp_path, upstreams) for _ in range(2)]
        async with asyncio.TaskGroup() as load:
            for _ in range(2):
                load.create_task(upload(UploadClient(between.url, fake.kind, http)))
            load.create_task(create(BatchClient(between.url, fake.kind, http)))
            for each in old:
                await replace(between, each, tmp_path, upstreams)
            done.set()
        assert len(between.served) == 4
        for name in files:
            assert await fake.sha256(name) == SHA256
    assert len(files) == len(set(files)) > 0
    assert sorted(batches) == sorted(set(batches))
    assert len((await fake.objects())["batches"]) == len(batches) > 0
