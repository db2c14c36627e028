"""A load balancer in front of two proxies that sends requests to each in turn."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from itertools import cycle

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

LARGEST_BODY = 16 << 20


class Balancer:
    """`served` counts the requests of each backend.

    It serves below the path `below`, which it strips and names in a header.
    """

    def __init__(self, backends: Sequence[str], session: ClientSession, below: str) -> None:
        self._turn = cycle(backends)
        self._session = session
        self._below = below
        self.served = dict.fromkeys(backends, 0)
        self.url = ""

    async def forward(self, request: web.Request) -> web.Response:
        backend = next(self._turn)
        self.served[backend] += 1
        headers = request.headers.copy()
        headers["X-Forwarded-Host"] = headers.pop("Host")
        if self._below:
            headers["X-Forwarded-Prefix"] = self._below
        async with self._session.request(
            request.method,
            backend + request.path_qs.removeprefix(self._below),
            headers=headers,
            data=BytesIO(await request.read()),
        ) as reply:
            headers = reply.headers.copy()
            for name in ("Content-Length", "Transfer-Encoding"):
                headers.popall(name, None)
            return web.Response(status=reply.status, body=await reply.read(), headers=headers)


@asynccontextmanager
async def balancer(
    backends: Sequence[str], session: ClientSession, below: str = ""
) -> AsyncIterator[Balancer]:
    """A running balancer; on loopback, proxies trust its headers about the client's address."""
    between = Balancer(backends, session, below)
    app = web.Application(client_max_size=LARGEST_BODY)
    app.router.add_route("*", below + "/{path:.*}", between.forward)
    async with TestServer(app) as server:
        between.url = str(server.make_url(f"{below}/genai"))
        yield between
