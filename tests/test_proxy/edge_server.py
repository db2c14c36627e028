"""A listener with a small application behind it, and raw connections to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from middlewares.trusted_proxies import TrustedProxies
from proxy.connection import NO_DEADLINES, Connection, Deadlines
from proxy.connection_slots import ConnectionSlots
from proxy.health import Health
from proxy.listener import Listener
from proxy.sites import application_runner, site

TIMEOUT_SECONDS = 20

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class EdgeServer:
    """`begun` is set when a request is answered, `cancelled` when its handler was cancelled.

    `/wait` is answered when `may_end` is set. `/endless` has a body without an end, `/large` one
    that fits into no buffer of a socket, and `/tail` one that just does not fit.
    """

    listener: Listener
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def connections(self) -> list[Connection]:
        return [each for each in self.listener.server.connections if isinstance(each, Connection)]

    @asynccontextmanager
    async def connection(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[Streams]:
        port = self.listener.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                yield reader, writer
        finally:
            writer.close()

    async def ask(self, path: str) -> bytes:
        """The whole answer to one request on a new connection."""
        async with self.connection() as (reader, writer):
            writer.write(rendered(path, "Connection: close"))
            return await reader.read()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.begun.set()
        try:
            if request.path == "/wait":
                await self.may_end.wait()
            if request.path == "/endless":
                return await self._body(request, until_a_byte_waits=False)
            if request.path == "/tail":
                return await self._body(request, until_a_byte_waits=True)
            if request.path == "/large":
                return web.Response(body=bytes(8 << 20))
            return web.Response(body=await request.read())
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def _body(self, request: web.Request, *, until_a_byte_waits: bool) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        transport = request.transport
        assert transport is not None
        while not (until_a_byte_waits and transport.get_write_buffer_size()):
            await response.write(bytes(4 << 10))
        return response


def rendered(path: str, *headers: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: ferry.test", *headers, "", ""]
    return "\r\n".join(lines).encode()


async def until(condition: Callable[[], bool]) -> None:
    """Lets the event loop run until `condition` is true, for what has no event."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


@asynccontextmanager
async def edge_server(
    deadlines: Deadlines = NO_DEADLINES,
    slots: ConnectionSlots | None = None,
    health: Health | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[EdgeServer]:
    app = web.Application()
    slots = slots or ConnectionSlots(None, 1, TrustedProxies(()))
    runner = application_runner(app, deadlines)
    served: list[EdgeServer] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        return await served[0].answer(request)

    app.router.add_route("*", "/{path:.*}", answer)
    async with site(runner, health, ("127.0.0.1", 0), slots, tls, reuse_port=False) as listener:
        served.append(EdgeServer(listener))
        yield served[0]
