"""Requests in flight of one client behind a trusted proxy, on real sockets."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from middlewares.trusted_proxies import TrustedProxies
from proxy.connection_slots import Limit
from proxy.peer_requests import limit_peer_requests

Client = TestClient[web.Request, web.Application]

ONE = {"X-Forwarded-For": "forged, 192.0.2.1"}
OTHER = {"X-Forwarded-For": "192.0.2.1, 192.0.2.2"}


@pytest.fixture
def may_end() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
def refused() -> list[Limit]:
    """One for each refused request."""
    return []


@pytest.fixture
async def client(may_end: asyncio.Event, refused: list[Limit]) -> AsyncIterator[Client]:
    """Its responses have a first part at once, and the rest when they may end."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        await may_end.wait()
        return response

    proxies = TrustedProxies((ip_network("127.0.0.0/8"),))
    app = web.Application(middlewares=[limit_peer_requests(1, proxies, refused.append)])
    app.router.add_get("/", answer)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_a_client_has_no_more_requests_than_its_limit(
    client: Client, may_end: asyncio.Event, refused: list[Limit]
) -> None:
    async with client.get("/", headers=ONE) as first, client.get("/", headers=OTHER) as other:
        assert (first.status, other.status) == (200, 200)
        async with client.get("/", headers=ONE) as second:
            assert second.status == 429
            assert second.headers["Retry-After"] == "1"
            error = (await second.json())["error"]
        assert error["status"] == "RESOURCE_EXHAUSTED"
        assert "FERRY_MAX_CONNECTIONS_PER_PEER" in error["message"]
        may_end.set()
        assert await first.read() == b"begun"
    async with client.get("/", headers=ONE) as later:
        assert later.status == 200
    assert len(refused) == 1


async def test_the_proxy_itself_has_no_limit(client: Client, may_end: asyncio.Event) -> None:
    async with client.get("/") as first, client.get("/") as second:
        assert (first.status, second.status) == (200, 200)
        may_end.set()
