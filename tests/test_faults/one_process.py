"""The replicas and the fakes in this process, so that an example takes a fraction of a second.

A replica dies at a chosen step, which is a call to the state store, or to an upstream, before or
after it: from then on, nothing of it reaches the store, an upstream or a client.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from aiohttp import ClientSession, ClientTimeout

from providers.body import Body, in_memory
from providers.state import ObjectInfo, StateError
from providers.status import Status
from providers.stored_objects import SALT
from providers.upstream import OutboundRequest, UpstreamError
from proxy.composition import application
from proxy.connection import EnvelopeRunner
from proxy.kinds import KINDS as PROXY_KINDS
from proxy.outbound import OutboundClient, OutboundReply
from proxy.parts_as_objects import PartsAsObjects
from proxy.settings import load
from proxy.sites import application_runner
from tests.end_to_end.fake_client import KINDS, FakeClient
from tests.fakes.__main__ import serving_chosen
from tests.memory_state import MemoryState
from tests.processes import clean_environment, free_port, proxy_settings

GRANULE: Final = 512 << 10
"""Google keeps blocks of half that size of a chunk that breaks off."""

_PATCHED: Final = (
    ("providers.uploads.resumable.GRANULARITY", GRANULE),
    ("providers.uploads.session_parts.GRANULARITY", GRANULE),
    ("providers.openai.upload_target.GRANULARITY", GRANULE),
    ("providers.multipart_uploads.SMALLEST_PART", GRANULE),
    ("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", GRANULE),
    # A creation that died never has an outcome for which its repeat waits.
    ("providers.batches.lost_creations._WAIT_SECONDS", 0.1),
    ("providers.batches.lost_creations._LOOK_SECONDS", 0.02),
)


@dataclass(frozen=True)
class _Fake:
    ready: Mapping[str, str]


class _Gone(asyncio.Protocol):
    """What is left of a replica: its listener closes later, as one that closes leaks a connection
    that it is accepting."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class _Life:
    """Of one replica, from a start to its end."""

    def __init__(self) -> None:
        self.over = False
        self.steps_left: int | None = None
        self.runner: EnvelopeRunner | None = None
        self.server: asyncio.Server | None = None

    def is_over_at_this_step(self) -> bool:
        if self.steps_left is not None and not self.over:
            self.steps_left -= 1
            if self.steps_left < 0:
                self.end()
        return self.over

    def connection(self) -> asyncio.Protocol:
        assert self.runner is not None
        return _Gone() if self.over else self.runner.connections()

    def end(self) -> None:
        self.over = True
        assert self.runner is not None
        for connection in self.runner.connections.connections:
            if connection.transport is not None:
                connection.transport.abort()


class _MortalState:
    """The shared store as one replica reaches it."""

    def __init__(self, shared: MemoryState, life: _Life) -> None:
        self._shared = shared
        self._life = life
        self.multipart = PartsAsObjects(self)

    async def verify(self) -> None:
        await self._step()

    async def create(self, name: str, body: Body) -> bool:
        data = b"".join([chunk async for chunk in body.chunks])
        await self._step()
        return await self._shared.create(name, Body(in_memory(data).chunks, body.length))

    async def get(self, name: str) -> Body | None:
        await self._step()
        return await self._shared.get(name)

    async def head(self, name: str) -> ObjectInfo | None:
        await self._step()
        return await self._shared.head(name)

    async def delete(self, name: str) -> None:
        await self._step()
        await self._shared.delete(name)

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        await self._step()
        async for info in self._shared.list(prefix, after):
            yield info

    async def _step(self) -> None:
        await asyncio.sleep(0)  # another request may come first, as with a real store
        if self._life.is_over_at_this_step():
            raise StateError(Status.UNAVAILABLE, "this replica is dead")


class _MortalClient(OutboundClient):
    life: _Life

    async def send(self, request: OutboundRequest) -> OutboundReply:
        self._step()
        reply = await super().send(request)
        try:
            self._step()
        except UpstreamError:
            await reply.aclose()
            raise
        return reply

    def _step(self) -> None:
        if self.life.is_over_at_this_step():
            raise UpstreamError(Status.UNAVAILABLE, "this replica is dead")


class _Replica:
    def __init__(self, settings: Mapping[str, str], port: int, shared: MemoryState) -> None:
        self._settings = settings
        self._port = port
        self._shared = shared
        self._client: OutboundClient | None = None
        self.life = _Life()

    async def start(self) -> None:
        self.life = life = _Life()
        with (
            patch.dict(os.environ, {**clean_environment(), **self._settings}, clear=True),
            patch("proxy.outbound_settings.OutboundClient", self._mortal_client),
            patch("proxy.composition.state_store", lambda *_: _MortalState(self._shared, life)),
        ):
            life.runner = application_runner(application(load(PROXY_KINDS)))
        await life.runner.setup()
        loop = asyncio.get_running_loop()
        life.server = await loop.create_server(life.connection, "127.0.0.1", self._port)

    def _mortal_client(self, *options: Any) -> OutboundClient:
        client = _MortalClient(*options)
        client.life = self.life
        self._client = client
        return client

    async def stop(self) -> None:
        if not self.life.over:
            self.life.end()
        assert self._client is not None
        assert self.life.runner is not None
        assert self.life.server is not None
        await self._client.close()  # its calls end too
        await self.life.runner.cleanup()
        self.life.server.close()


class OneProcess:
    """Implements `ReplicasForMachines`."""

    granule = GRANULE

    def __init__(
        self,
        fakes: Mapping[str, FakeClient],
        http: ClientSession,
        replicas: list[_Replica],
        base_urls: list[str],
        shared: MemoryState,
    ) -> None:
        self.fakes = fakes
        self.http = http
        self.base_urls = base_urls
        self._replicas = replicas
        self._shared = shared

    def doom(self, number: int, steps: int) -> None:
        self._replicas[number].life.steps_left = steps

    async def revive(self, number: int) -> None:
        replica = self._replicas[number]
        replica.life.steps_left = None
        if replica.life.over:
            await replica.stop()
            await replica.start()

    async def reset(self, kind: str) -> None:
        for name in self._shared.objects:
            if name != SALT.name():  # replicas read it once
                await self._shared.delete(name)
        await self.fakes[kind].reset()
        await self.fakes[kind].settings(granularity=GRANULE)


@asynccontextmanager
async def one_process(_: Path) -> AsyncIterator[OneProcess]:
    async with AsyncExitStack() as stack:
        patches = stack.enter_context(ExitStack())
        for name, value in _PATCHED:
            patches.enter_context(patch(name, value))
        http = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=60)))
        fakes = {}
        for name, kind in KINDS.items():
            ready = await stack.enter_async_context(serving_chosen([name, *kind.fake_options]))
            fakes[name] = FakeClient(kind, _Fake(ready), http)
        upstreams = {name: fake.as_upstream for name, fake in fakes.items()}
        settings = proxy_settings(Path("/not-used"), upstreams, {})
        shared, ports = MemoryState(), [free_port(), free_port()]
        replicas = [_Replica(settings, port, shared) for port in ports]
        for replica in replicas:
            await replica.start()
            stack.push_async_callback(replica.stop)
        base_urls = [f"http://127.0.0.1:{port}/genai" for port in ports]
        yield OneProcess(fakes, http, replicas, base_urls, shared)
