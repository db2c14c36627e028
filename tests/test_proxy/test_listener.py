"""Limits of connections, on real sockets."""

import asyncio
import errno
import logging
import socket
import ssl
from contextlib import AsyncExitStack
from pathlib import Path

import orjson
import pytest

from middlewares.trusted_proxies import TrustedProxies
from proxy.connection import Deadlines
from proxy.connection_slots import ConnectionSlots
from proxy.health import Health
from proxy.listener import SURPLUS
from tests.test_proxy.certificates import certificate
from tests.test_proxy.edge_server import EdgeServer, edge_server, rendered, until
from tests.test_proxy.ferry_process import ferry_process


def at_most(total: int) -> ConnectionSlots:
    return ConnectionSlots(total, 1000, TrustedProxies(()))


def check_too_many(answer: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 503 Service Unavailable"
    assert {b"Retry-After: 1", b"Connection: close", b"Server: genai-ferry"} <= set(lines)
    error = orjson.loads(body)["error"]
    assert (error["code"], error["status"]) == (503, "UNAVAILABLE")
    assert "FERRY_MAX_CONNECTIONS" in error["message"]


async def test_beyond_the_limit_a_client_learns_that_there_are_too_many(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with edge_server(slots=at_most(2)) as server, AsyncExitStack() as held:
        for _ in range(2):
            await held.enter_async_context(served_connection(server))
        check_too_many(await server.ask("/"))
        [warning] = [one for one in caplog.records if one.message == "too many connections"]
        assert warning.__dict__.items() >= {"peer": "127.0.0.1", "limit": "total"}.items()
        await held.aclose()
        await until(lambda: not server.connections)
        assert (await server.ask("/")).startswith(b"HTTP/1.1 200")
        assert server.listener.slots.open == len(server.connections)


async def test_health_is_answered_beyond_the_limit() -> None:
    async with edge_server(slots=at_most(1), health=Health(None)) as server:
        async with served_connection(server):
            assert (await server.ask("/healthz")).endswith(b'{"status": "alive"}')


async def test_connections_far_beyond_the_limit_do_not_stop_health() -> None:
    """The oldest gives its place to a newer one, which had less time to send a request."""
    async with (
        edge_server(slots=at_most(1), health=Health(None)) as server,
        served_connection(server),
        AsyncExitStack() as silent,
    ):
        opened = [
            await silent.enter_async_context(server.connection()) for _ in range(SURPLUS + 20)
        ]
        for reader, _ in opened[:20]:
            check_too_many(await reader.read())
        assert (await server.ask("/healthz")).endswith(b'{"status": "alive"}')


@pytest.mark.parametrize("encrypted", [False, True])
async def test_many_connections_at_once_are_not_more_than_the_limit(
    tmp_path: Path, encrypted: bool
) -> None:
    """They are accepted before the first of them is opened, or has sent a TLS handshake."""
    tls = server_tls(tmp_path) if encrypted else None
    async with edge_server(slots=at_most(5), tls=tls) as server, AsyncExitStack() as held:
        clients = [
            held.enter_context(socket.create_connection(("127.0.0.1", server.listener.port)))
            for _ in range(200)
        ]
        await until(lambda: sum(map(is_open, clients)) == 5 + SURPLUS)
        assert server.listener.slots.open == 5


def is_open(client: socket.socket) -> bool:
    try:
        client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    return False


def server_tls(directory: Path) -> ssl.SSLContext:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate(directory))
    return tls


async def test_a_client_that_sends_no_tls_handshake_is_disconnected(tmp_path: Path) -> None:
    deadlines = Deadlines(0.05, 1000, 1000)
    async with (
        edge_server(deadlines, slots=at_most(1), tls=server_tls(tmp_path)) as server,
        server.connection() as (reader, _),
    ):
        assert await reader.read() == b""
        await until(lambda: not server.listener.slots.open)


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
async def test_without_descriptors_it_waits_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    failures = 5
    accept = socket.socket.accept

    def sometimes(listening: socket.socket) -> tuple[socket.socket, object]:
        nonlocal failures
        if failures:
            failures -= 1
            raise OSError(code, "no more")
        return accept(listening)

    async with edge_server() as server:
        monkeypatch.setattr("socket.socket.accept", sometimes)
        assert (await server.ask("/")).startswith(b"HTTP/1.1 200")
        assert failures == 0
    errors = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    assert errors == ["cannot accept connections"]


def served_connection(server: EdgeServer) -> "AsyncExitStack":
    """A connection that has been answered once, and stays open."""
    return _Served(server)


class _Served(AsyncExitStack):
    def __init__(self, server: EdgeServer) -> None:
        super().__init__()
        self._server = server

    async def __aenter__(self) -> "_Served":
        reader, writer = await self.enter_async_context(self._server.connection())
        writer.write(rendered("/"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        return self


# --- a process with few descriptors ----------------------------------------------------------

LIMITED = (
    "import resource, sys;"
    "resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200));"
    "from proxy.command_line import main; raise SystemExit(main())"
)


async def test_a_process_with_few_descriptors_keeps_some_for_health(tmp_path: Path) -> None:
    settings = {
        "FERRY_PORT": "0",
        "FERRY_ADMIN_PORT": "0",
        "FERRY_STATE_URL": tmp_path.as_uri(),
        "FERRY_LOG_FORMAT": "json",
    }
    async with (
        ferry_process("-c", LIMITED, environment=settings) as process,
        AsyncExitStack() as held,
    ):
        listening = await process.event("listening")
        assert listening["max_connections"] == 4
        main, admin = (int(listening[each].rpartition(":")[2]) for each in ("url", "admin_url"))
        for _ in range(300):
            _, writer = await asyncio.open_connection("127.0.0.1", main)
            held.callback(writer.close)
            writer.write(b"GET ")
        reader, writer = await asyncio.open_connection("127.0.0.1", admin)
        held.callback(writer.close)
        writer.write(rendered("/healthz", "Connection: close"))
        assert (await reader.read()).endswith(b'{"status": "alive"}')
