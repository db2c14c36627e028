"""The deadlines of a connection and the limits of what is no body, on real sockets."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from aiohttp import web

from proxy.connection import Deadlines
from proxy.http_errors import HEAD_BYTES
from tests.test_proxy.certificates import certificate
from tests.test_proxy.edge_server import EdgeServer, edge_server, rendered, until

# Long enough that only the deadline which a test is about can end a connection.
LONG = 1000.0
SHORT = 0.05
MIB = 1 << 20


def test_aiohttp_still_has_what_this_uses_of_it() -> None:
    """These are not of its public interface."""
    assert "_request_count" in web.RequestHandler.__slots__
    assert hasattr(web.AppRunner, "_make_server")
    server = web.Server(lambda _: asyncio.sleep(0, web.Response()), loop=asyncio.new_event_loop())
    assert {"_loop", "_kwargs"} <= set(vars(server))
    server._loop.close()


# --- headers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET", b"GET / HTTP/1.1\r\nHost: h\r\nX-A: b"])
async def test_a_client_that_does_not_finish_its_headers_is_disconnected(sent: bytes) -> None:
    async with (
        edge_server(Deadlines(SHORT, LONG, LONG)) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(sent)
        assert await reader.read() == b""
        assert not server.begun.is_set()


async def test_bytes_do_not_extend_the_time_for_headers() -> None:
    async with (
        edge_server(Deadlines(SHORT, LONG, LONG)) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(b"GET / HTTP/1.1\r\nX-A: ")
        ended = asyncio.create_task(reader.read())
        while not ended.done():
            writer.write(b"a")
            await asyncio.sleep(0)
        assert ended.exception() is not None or ended.result() == b""


async def test_later_headers_have_the_same_time_from_their_first_byte_on() -> None:
    async with (
        edge_server(Deadlines(SHORT, LONG, LONG)) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(rendered("/"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.write(b"GET / HTTP/1.1\r\nX-A: ")
        assert await reader.read() == b""


async def test_a_connection_is_closed_after_the_idle_time() -> None:
    async with (
        edge_server(Deadlines(LONG, SHORT, LONG)) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(rendered("/"))
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"\r\n\r\n")


async def test_between_requests_the_time_for_headers_does_not_run() -> None:
    async with (
        edge_server(Deadlines(LONG, 10 * LONG, LONG)) as server,
        server.connection() as (reader, writer),
    ):
        for _ in range(2):
            writer.write(rendered("/"))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            check_all(server, after=LONG + 1)


@pytest.mark.parametrize(
    "sent",
    [
        rendered("/wait"),
        rendered("/wait") + b"GET / HT",
        rendered("/body", "Content-Length: 10", method="POST") + b"half ",
    ],
)
async def test_a_request_that_is_answered_has_none_of_these_deadlines(sent: bytes) -> None:
    async with (
        edge_server(Deadlines(LONG, LONG, LONG)) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(sent)
        await server.begun.wait()
        check_all(server, after=100 * LONG)
        server.may_end.set()
        writer.write(b"later")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")


def check_all(server: EdgeServer, *, after: float) -> None:
    (connection,) = server.connections
    connection.check(asyncio.get_running_loop().time() + after)


# --- bytes that are no body ------------------------------------------------------------------

CHUNKED = rendered("/body", "Transfer-Encoding: chunked", method="POST")


HEADERS = b"GET / HTTP/1.1\r\nHost: h\r\n" + b"".join(
    b"X-%d: " % number + b"a" * 15_000 + b"\r\n" for number in range(5)
)


@pytest.mark.parametrize("sent", [b"\r\n" * HEAD_BYTES, HEADERS])
async def test_blank_lines_and_headers_are_limited_in_total(sent: bytes) -> None:
    async with edge_server() as server, server.connection() as (reader, writer):
        writer.write(sent[:HEAD_BYTES])
        await until(lambda: any(each._unused == HEAD_BYTES for each in server.connections))
        writer.write(b"\r")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"Connection: close" in head
        error = orjson.loads(body)["error"]
        assert error["status"] == "INVALID_ARGUMENT"
        assert error["message"].startswith("the request line and the headers are together longer")


async def test_some_blank_lines_before_a_request_are_accepted() -> None:
    async with edge_server() as server, server.connection() as (reader, writer):
        writer.write(b"\r\n\r\n" + rendered("/"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "endless",
    [
        pytest.param(b"5;" + b"a" * 64, id="extension"),
        pytest.param(b"0\r\nX-Trailer: " + b"a" * 64, id="trailer"),
    ],
)
async def test_what_is_between_the_chunks_of_a_body_is_limited(endless: bytes) -> None:
    async with edge_server() as server, server.connection() as (reader, writer):
        writer.write(CHUNKED + b"5\r\nhello\r\n" + endless)
        await server.begun.wait()
        ended = asyncio.create_task(reader.read())
        sent = 0
        while not ended.done() and sent < 8 * MIB:
            writer.write(b"a" * 65_536)
            sent += 65_536
            await asyncio.sleep(0)
        await asyncio.wait([ended])
        assert ended.exception() is not None or not ended.result().startswith(b"HTTP/1.1 200")


async def test_a_body_whose_framing_breaks_ends_its_request() -> None:
    async with edge_server() as server, server.connection() as (reader, writer):
        writer.write(CHUNKED + b"5\r\nhello\r\n")
        await server.begun.wait()
        writer.write(b"ZZ\r\n")
        assert not (await reader.read()).startswith(b"HTTP/1.1 200")


async def test_many_small_chunks_are_accepted() -> None:
    size = 300_000
    async with edge_server() as server, server.connection() as (reader, writer):
        writer.write(CHUNKED + b"1;name=value\r\na\r\n" * size + b"0\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert f"Content-Length: {size}".encode() in head


# --- clients that do not read ----------------------------------------------------------------


@pytest.mark.parametrize("path", ["/endless", "/large"])
async def test_a_client_that_reads_nothing_is_disconnected(path: str) -> None:
    async with edge_server(Deadlines(LONG, LONG, SHORT)) as server:
        with UnreadConnection(server) as (_, send):
            await send(rendered(path, "Connection: close"))
            await server.begun.wait()
            await until(lambda: not server.connections)


async def test_the_same_with_tls(tmp_path: Path) -> None:
    """The client's own buffers are full soon, since it never reads from them."""
    file = certificate(tmp_path)
    inbound = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    inbound.load_cert_chain(file)
    outbound = ssl.create_default_context(cafile=file)
    async with (
        edge_server(Deadlines(LONG, LONG, SHORT), tls=inbound) as server,
        server.connection(outbound) as (_, writer),
    ):
        writer.write(rendered("/endless"))
        await server.cancelled.wait()
        await until(lambda: not server.connections)


async def test_an_error_in_one_check_does_not_end_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with edge_server(Deadlines(SHORT, LONG, LONG)) as server:
        async with server.connection() as (_, _):
            await until(lambda: bool(server.connections))
            (broken,) = server.connections
            monkeypatch.setattr(broken, "_is_late", lambda *_: 1 / 0)
            async with server.connection() as (reader, _):
                assert await reader.read() == b""
    assert "a bug of ours: ZeroDivisionError" in caplog.text


async def test_a_slow_reader_may_continue() -> None:
    async with edge_server(Deadlines(LONG, LONG, LONG)) as server:
        with UnreadConnection(server) as (client, send):
            await send(rendered("/endless"))
            await server.begun.wait()
            now = asyncio.get_running_loop().time()
            for _ in range(10):
                left = MIB
                while left > 0:
                    left -= len(await asyncio.get_running_loop().sock_recv(client, left))
                now += 0.9 * LONG
                (connection,) = server.connections
                connection.check(now)
            assert not server.cancelled.is_set()


async def test_a_connection_whose_response_is_not_read_yet_is_not_idle() -> None:
    """The server has written all of it, and its last part still waits for the client."""
    loop = asyncio.get_running_loop()
    async with edge_server(Deadlines(LONG, LONG, 10 * LONG)) as server:
        with UnreadConnection(server) as (client, send):
            await send(rendered("/tail"))
            await until(lambda: any(each._answered for each in server.connections))
            check_all(server, after=LONG + 1)
            data = b""
            while not data.endswith(b"0\r\n\r\n"):
                part = await loop.sock_recv(client, MIB)
                assert part
                data = (data + part)[-5:]


class UnreadConnection:
    """A connection whose bytes nobody reads, as a plain socket."""

    def __init__(self, server: EdgeServer) -> None:
        self._port = server.listener.port
        self._client = socket.socket()

    def __enter__(self) -> tuple[socket.socket, Callable[[bytes], "asyncio.Future[None]"]]:
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        self._client.connect(("127.0.0.1", self._port))
        self._client.setblocking(False)
        loop = asyncio.get_running_loop()
        return self._client, lambda data: asyncio.ensure_future(
            loop.sock_sendall(self._client, data)
        )

    def __exit__(self, *_: object) -> None:
        self._client.close()
