"""Serving in a process, with real signals."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientConnectorError, ClientSession, web
from yarl import URL

from middlewares.trusted_proxies import TrustedProxies
from proxy.connection_slots import ConnectionSlots
from proxy.sites import application_runner, site
from tests.test_proxy.ferry_process import FerryProcess, ferry_process


@asynccontextmanager
async def serving(settings: Mapping[str, str] | None = None) -> AsyncIterator[FerryProcess]:
    environment = {"FERRY_PORT": "0", **(settings or {})}
    async with ferry_process(
        "-m", "tests.test_proxy.slow_server", environment=environment
    ) as process:
        yield process


@asynccontextmanager
async def slow_request(
    session: ClientSession, url: str, path: str = "/slow"
) -> AsyncIterator[tuple[asyncio.Event, "asyncio.Task[bytes]"]]:
    """A request that does not end until the event is set."""
    may_end = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"begun"
        await may_end.wait()

    async def post() -> bytes:
        async with session.post(f"{url}{path}", data=body()) as response:
            return await response.read()

    request = asyncio.create_task(post())
    yield may_end, request
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)


async def test_health_is_answered_before_the_chain() -> None:
    async with serving() as process, ClientSession() as session:
        url = (await process.event("listening"))["url"]
        async with session.get(f"{url}/healthz") as alive:
            assert (alive.status, await alive.json()) == (200, {"status": "alive"})
            assert alive.headers["Server"] == "genai-ferry"
        async with session.get(f"{url}/readyz") as ready:
            assert ready.status == 200
            assert await ready.json() == {"status": "serving", "state": "ok"}
        async with session.get(f"{url}/other") as other:
            assert (other.status, other.headers["Server"]) == (403, "genai-ferry")


async def test_connections_are_counted_also_those_beyond_the_limit() -> None:
    async with serving({"FERRY_MAX_CONNECTIONS": "1"}) as process:
        url = URL((await process.event("listening"))["url"])
        assert (url.host, url.port) != (None, None)
        _, held = await asyncio.open_connection(url.host, url.port)
        async with ClientSession() as session, session.get(url / "metrics") as answer:
            lines = (await answer.text()).splitlines()
        held.close()
    assert {
        "ferry_open_connections 1.0",
        "ferry_connection_limit 1.0",
        'ferry_refused_connections_total{limit="total"} 1.0',
        "ferry_refused_peer_requests_total 0.0",
    } <= set(lines)


@pytest.mark.parametrize("path", ["/slow", "/late"])
async def test_a_drain_waits_for_requests_and_is_shown(path: str) -> None:
    async with serving({"FERRY_ADMIN_PORT": "0"}) as process, ClientSession() as session:
        listening = await process.event("listening")
        async with slow_request(session, listening["url"], path) as (may_end, request):
            await process.event("begun")
            process.signal(signal.SIGTERM)
            await process.event("draining")
            async with session.get(f"{listening['admin_url']}/readyz") as ready:
                assert ready.status == 503
                assert (await ready.json())["status"] == "draining"
            async with session.get(f"{listening['admin_url']}/healthz") as alive:
                assert alive.status == 200
            may_end.set()
            assert await request == b"begun"
        assert await process.exit_code() == 0


async def test_with_an_admin_port_the_main_port_has_no_health() -> None:
    async with serving({"FERRY_ADMIN_PORT": "0"}) as process, ClientSession() as session:
        url = (await process.event("listening"))["url"]
        async with session.get(f"{url}/healthz") as response:
            assert response.status == 403


@pytest.mark.skipif(sys.platform != "linux", reason="needs a second loopback address")
async def test_health_can_have_a_host_of_its_own() -> None:
    settings = {"FERRY_ADMIN_HOST": "127.0.0.2", "FERRY_ADMIN_PORT": "0"}
    async with serving(settings) as process, ClientSession() as session:
        listening = await process.event("listening")
        assert URL(listening["url"]).host == "127.0.0.1"
        admin_url = URL(listening["admin_url"])
        assert admin_url.host == "127.0.0.2"
        async with session.get(admin_url / "healthz") as alive:
            assert alive.status == 200
        with pytest.raises(ClientConnectorError):
            await session.get(admin_url.with_host("127.0.0.1") / "healthz")


async def test_after_sigterm_the_port_still_accepts_for_the_time_of_grace() -> None:
    settings = {"FERRY_DRAIN_GRACE_SECONDS": "3600"}
    async with serving(settings) as process, ClientSession() as session:
        url = (await process.event("listening"))["url"]
        process.signal(signal.SIGTERM)
        draining = await process.event("draining")
        assert (draining["grace_seconds"], draining["seconds"]) == (3600, 30)
        async with session.get(f"{url}/readyz") as ready:
            assert ready.status == 503
        async with session.post(f"{url}/slow", data=b"late") as response:
            assert await response.read() == b"late"
            assert response.headers["Connection"] == "close"


async def test_after_the_time_of_grace_the_port_is_closed() -> None:
    settings = {"FERRY_DRAIN_GRACE_SECONDS": "0.05"}
    async with serving(settings) as process, ClientSession() as session:
        url = (await process.event("listening"))["url"]
        async with slow_request(session, url) as (may_end, request):
            await process.event("begun")
            process.signal(signal.SIGTERM)
            await process.event("closed to new connections")
            with pytest.raises(ClientConnectorError):
                await session.post(f"{url}/slow", data=b"late")
            may_end.set()
            assert await request == b"begun"
        assert await process.exit_code() == 0


async def test_sigint_skips_the_time_of_grace() -> None:
    async with serving({"FERRY_DRAIN_GRACE_SECONDS": "3600"}) as process:
        await process.event("listening")
        process.signal(signal.SIGINT)
        assert (await process.event("draining"))["grace_seconds"] == 0
        assert await process.exit_code() == 0


async def test_a_signal_in_the_time_of_grace_ends_the_process_at_once() -> None:
    async with serving({"FERRY_DRAIN_GRACE_SECONDS": "3600"}) as process:
        await process.event("listening")
        process.signal(signal.SIGTERM)
        await process.event("draining")
        process.signal(signal.SIGINT)
        assert await process.exit_code() == 1


async def test_grace_and_drain_are_limited_together() -> None:
    settings = {"FERRY_DRAIN_GRACE_SECONDS": "0.05", "FERRY_DRAIN_SECONDS": "0.05"}
    async with serving(settings) as process, ClientSession() as session:
        url = (await process.event("listening"))["url"]
        async with slow_request(session, url):
            await process.event("begun")
            process.signal(signal.SIGTERM)
            await process.event("cancelled")
            assert await process.exit_code() == 0


async def test_a_drain_is_limited() -> None:
    async with serving({"FERRY_DRAIN_SECONDS": "0.05"}) as process, ClientSession() as session:
        url = (await process.event("listening"))["url"]
        async with slow_request(session, url):
            await process.event("begun")
            process.signal(signal.SIGINT)
            await process.event("cancelled")
            assert await process.exit_code() == 0


async def test_a_request_that_the_drain_cuts_off_has_time_to_undo_what_it_began() -> None:
    async with serving({"FERRY_DRAIN_SECONDS": "0.05"}) as process, ClientSession() as session:
        url = (await process.event("listening"))["url"]
        async with slow_request(session, url, "/undoing"):
            await process.event("begun")
            process.signal(signal.SIGTERM)
            await process.event("undone")
            assert await process.exit_code() == 0


async def test_background_work_also_gets_the_time_of_the_drain() -> None:
    settings = {"SLOW_SERVER_PREPARES": "1", "FERRY_DRAIN_SECONDS": "0.05"}
    async with serving(settings) as process:
        await process.event("listening")
        process.signal(signal.SIGTERM)
        await process.event("preparing")
        await process.event("prepared for long enough")
        assert await process.exit_code() == 0


async def test_a_second_signal_ends_the_process_at_once() -> None:
    async with serving() as process, ClientSession() as session:
        url = (await process.event("listening"))["url"]
        async with slow_request(session, url):
            await process.event("begun")
            process.signal(signal.SIGTERM)
            await process.event("draining")
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 1


async def test_a_client_that_disconnects_cancels_its_request() -> None:
    async with serving() as process, ClientSession() as session:
        url = (await process.event("listening"))["url"]
        async with slow_request(session, url):
            await process.event("begun")
        await process.event("cancelled")


@pytest.mark.parametrize("size", [8_000, 12_000])
async def test_a_long_address_is_accepted(size: int) -> None:
    """Sealed upload URLs are longer than aiohttp's default limit."""
    async with serving() as process, ClientSession() as session:
        url = (await process.event("listening"))["url"]
        async with session.post(f"{url}/slow?upload_id={'x' * size}", data=b"ok") as response:
            assert await response.read() == b"ok"


async def test_a_start_that_fails_closes_what_it_has_opened() -> None:
    closed = []

    async def opened(_: web.Application) -> AsyncIterator[None]:
        yield
        closed.append("opened")

    async def failing(_: web.Application) -> AsyncIterator[None]:
        raise OSError("the store")
        yield

    app, slots = web.Application(), ConnectionSlots(None, 1, TrustedProxies(()))
    app.cleanup_ctx.extend((opened, failing))
    started = site(application_runner(app), None, ("127.0.0.1", 0), slots, None, reuse_port=False)
    with pytest.raises(OSError, match="the store"):
        async with started:
            pass
    assert closed == ["opened"]
