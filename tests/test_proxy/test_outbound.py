"""The outbound client over real sockets: what it sends and what it receives."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from providers.body import Body, in_memory
from providers.errors import FerryError
from providers.status import Status
from providers.upstream import OutboundRequest, UpstreamError
from proxy.outbound import OutboundClient
from tests.test_proxy.raw_upstream import raw_upstream, read_head

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class Recorder:
    """Answers 200 to every request and records it."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            head = await read_head(reader)
            self.heads.append(head)
            self.bodies.append(await self._body(head.lower(), reader))
            writer.write(OK)

    async def _body(self, head: bytes, reader: asyncio.StreamReader) -> bytes:
        if b"transfer-encoding: chunked" in head:
            return await reader.readuntil(b"0\r\n\r\n")
        _, found, rest = head.partition(b"content-length: ")
        return await reader.readexactly(int(rest.split(b"\r\n")[0])) if found else b""


async def exchange(client: OutboundClient, request: OutboundRequest) -> bytes:
    async with await client.send(request) as reply:
        return await reply.read(1000)


# --- what is sent ----------------------------------------------------------------------------


async def test_only_the_given_headers_are_sent(client: OutboundClient) -> None:
    recorder = Recorder()
    async with raw_upstream(recorder) as url:
        target = URL(f"{url}/v1/a%2Fb%20c?q=%7Ex&upload_id=A%2BB", encoded=True)
        assert await exchange(client, OutboundRequest("GET", target, {"X-One": "1"})) == b"ok"
    expected = (
        "GET /v1/a%2Fb%20c?q=%7Ex&upload_id=A%2BB HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{url.port}\r\nX-One: 1\r\n\r\n"
    )
    assert recorder.heads == [expected.encode()]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_no_body_has_no_content_type(client: OutboundClient, method: str) -> None:
    recorder = Recorder()
    async with raw_upstream(recorder) as url:
        await exchange(client, OutboundRequest(method, url))
    [head] = recorder.heads
    assert b"Content-Type" not in head


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"", b""),
        (b"hello", b"hello"),
        (b"x" * (3 << 20), b"x" * (3 << 20)),
        (in_memory(b"hello"), b"hello"),
        (Body(pieces(), 0), b""),
        (Body(pieces(b"he", b"", b"llo", b""), 5), b"hello"),
    ],
    ids=["no bytes", "bytes", "many bytes", "held", "empty", "streamed"],
)
async def test_a_known_length_is_sent(
    client: OutboundClient, body: Body | bytes, content: bytes
) -> None:
    recorder = Recorder()
    async with raw_upstream(recorder) as url:
        await exchange(client, OutboundRequest("POST", url, {}, body))
    [head] = recorder.heads
    assert b"Content-Length: %d\r\n" % len(content) in head
    assert b"Transfer-Encoding" not in head
    assert recorder.bodies == [content]


async def test_an_unknown_length_is_sent_in_chunks(client: OutboundClient) -> None:
    recorder = Recorder()
    async with raw_upstream(recorder) as url:
        await exchange(client, OutboundRequest("POST", url, {}, Body(pieces(b"he", b"llo"), None)))
    [head] = recorder.heads
    assert b"Transfer-Encoding: chunked\r\n" in head
    assert b"Content-Length" not in head
    assert recorder.bodies == [b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"]


async def test_a_body_is_streamed_as_it_arrives(client: OutboundClient) -> None:
    """The second half is created only after the upstream has the first."""
    first_arrived = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield b"first"
        await first_arrived.wait()
        yield b"second"

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        assert await reader.readexactly(5) == b"first"
        first_arrived.set()
        assert await reader.readexactly(6) == b"second"
        writer.write(OK)

    async with raw_upstream(conversation) as url:
        body = Body(source(), 11)
        assert await exchange(client, OutboundRequest("POST", url, {}, body)) == b"ok"


@pytest.mark.parametrize("bad", ["a\r\nX-Evil: 1", "a\x00b", "a\nb", "\x7f"])
async def test_a_control_character_in_a_header_is_refused(client: OutboundClient, bad: str) -> None:
    with pytest.raises(FerryError) as caught:
        await client.send(OutboundRequest("GET", URL("http://127.0.0.1:1"), {"X-Key": bad}))
    assert caught.value.status == Status.INVALID_ARGUMENT
    assert "X-Key" in caught.value.message
    assert bad not in caught.value.message


# --- what is received ------------------------------------------------------------------------


async def test_a_compressed_reply_is_not_changed(client: OutboundClient) -> None:
    packed = gzip.compress(b"hello")

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as server:
        async with await client.send(OutboundRequest("GET", server.make_url("/"))) as reply:
            assert reply.headers["content-encoding"] == "gzip"
            assert await reply.read(1000) == packed


async def test_no_cookie_is_kept(client: OutboundClient) -> None:
    cookies: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "a=b"})

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as server:
        url = server.make_url("/").with_host("localhost")  # cookies are not kept for addresses
        for _ in range(2):
            await exchange(client, OutboundRequest("GET", url))
    assert cookies == [None, None]


async def test_a_reply_is_streamed_as_it_arrives(client: OutboundClient) -> None:
    first_read = asyncio.Event()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nfirst")
        await first_read.wait()
        writer.write(b"second")
        await writer.drain()

    async with raw_upstream(conversation) as url:
        async with await client.send(OutboundRequest("GET", url)) as reply:
            chunks = reply.chunks()
            assert await anext(chunks) == b"first"
            first_read.set()
            assert [chunk async for chunk in chunks] == [b"second"]


async def test_a_connection_is_used_again(client: OutboundClient) -> None:
    recorder = Recorder()
    async with raw_upstream(recorder) as url:
        for _ in range(3):
            await exchange(client, OutboundRequest("POST", url, {}, Body(pieces(b"a", b"bc"), 3)))
    assert (recorder.connections, recorder.bodies) == (1, [b"abc"] * 3)


async def test_a_connection_with_unread_bytes_is_not_used_again(client: OutboundClient) -> None:
    closed = asyncio.Event()
    connections = 0

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nsome")
        await reader.read()
        closed.set()

    async with raw_upstream(conversation) as url:
        for expected in (1, 2):
            async with await client.send(OutboundRequest("GET", url)) as reply:
                assert await anext(reply.chunks()) == b"some"
            await closed.wait()
            closed.clear()
            assert connections == expected


async def test_an_error_of_the_upstream_is_not_an_answer(client: OutboundClient) -> None:
    async with raw_upstream(Recorder()) as url:
        async with await client.send(OutboundRequest("GET", url)) as reply:
            with pytest.raises(UpstreamError) as caught:
                await reply.read(1)
    assert caught.value.code == 503
