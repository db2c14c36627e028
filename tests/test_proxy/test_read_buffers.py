"""Larger buffers for a few large streams, on real sockets."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import StreamReader, web

from providers.upstream import OutboundRequest
from proxy import connection, outbound
from proxy.outbound import OutboundClient, OutboundReply
from proxy.read_buffers import (
    LARGE_STREAM,
    READ_BUFFER_BYTES,
    READ_BYTES,
    LargeBuffers,
    Tier,
)
from proxy.sites import application_runner
from tests.test_proxy.edge_server import until
from tests.test_proxy.raw_upstream import answer_once, raw_upstream

USUAL_READ, MEDIUM_READ, LARGE_READ = 64 << 10, 256 << 10, 512 << 10
USUAL, LARGE = READ_BUFFER_BYTES, 256 << 10


def _stream() -> StreamReader:
    return StreamReader(cast(Any, None), USUAL, loop=asyncio.get_running_loop())


def _low_water(stream: StreamReader) -> int:
    return stream.get_read_buffer_limits()[0]


async def test_only_a_few_streams_have_larger_buffers() -> None:
    buffers, streams = LargeBuffers(Tier(2, LARGE)), [_stream() for _ in range(4)]
    transports: list[Any] = [SimpleNamespace(max_size=USUAL_READ) for _ in streams]
    first, second, third = map(buffers.give, streams[:3], transports[:3])
    assert first is not None
    assert second is not None
    assert third is None
    assert [_low_water(each) for each in streams[:3]] == [LARGE, LARGE, USUAL]
    assert [each.max_size for each in transports[:3]] == [LARGE_READ, LARGE_READ, USUAL_READ]
    first()
    assert transports[0].max_size == USUAL_READ
    assert buffers.give(streams[3], transports[3]) is not None


async def test_a_tier_that_is_used_up_is_followed_by_the_next() -> None:
    buffers, streams = LargeBuffers(Tier(1, LARGE), Tier(1, 2 * USUAL)), [_stream(), _stream()]
    transports: list[Any] = [SimpleNamespace(max_size=USUAL_READ) for _ in range(2)]
    first, second = map(buffers.give, streams, transports)
    assert [_low_water(each) for each in streams] == [LARGE, 2 * USUAL]
    assert [each.max_size for each in transports] == [LARGE_READ, 4 * USUAL]
    assert first is not None
    assert second is not None
    first()
    again = _stream()
    assert buffers.give(again, transports[0]) is not None
    assert _low_water(again) == LARGE


async def test_a_stream_reads_more_while_it_is_alone() -> None:
    buffers, streams = LargeBuffers(Tier(2, USUAL), alone=LARGE), [_stream() for _ in range(3)]
    transports: list[Any] = [SimpleNamespace(max_size=USUAL_READ) for _ in streams]
    first = buffers.give(streams[0], transports[0])
    assert (_low_water(streams[0]), transports[0].max_size) == (LARGE, LARGE_READ)
    second = buffers.give(streams[1], transports[1])
    assert [each.max_size for each in transports[:2]] == [2 * USUAL, 2 * USUAL]
    assert _low_water(streams[1]) == USUAL
    assert first is not None
    first()
    assert second is not None
    second()
    assert [each.max_size for each in transports] == [USUAL_READ] * 3
    assert buffers.give(streams[2], transports[2]) is not None
    assert transports[2].max_size == LARGE_READ


async def test_a_connection_that_is_used_again_before_its_stream_is_closed_reads_as_usual() -> None:
    """A reply that has arrived gives its connection back, while its reader may be slow."""
    buffers, kept = LargeBuffers(Tier(2, LARGE)), cast(Any, SimpleNamespace(max_size=256 << 10))
    first, second = buffers.give(_stream(), kept), buffers.give(_stream(), kept)
    assert first is not None
    assert second is not None
    first()
    second()
    assert kept.max_size == 256 << 10


async def test_a_transport_without_a_size_of_reads_keeps_its_own() -> None:
    stream, transport = _stream(), cast(asyncio.Transport, object())
    release = LargeBuffers(Tier(1, LARGE)).give(stream, transport)
    assert release is not None
    assert _low_water(stream) == LARGE
    release()


@pytest.fixture
def buffers(monkeypatch: pytest.MonkeyPatch) -> LargeBuffers:
    """Room for one large stream, so that a stream that keeps it is noticed."""
    only = LargeBuffers(Tier(1, LARGE))
    monkeypatch.setattr(connection, "LARGE_BUFFERS", only)
    monkeypatch.setattr(outbound, "LARGE_BUFFERS", only)
    return only


@pytest.mark.parametrize(
    ("size", "read"),
    [
        (READ_BYTES, USUAL_READ),
        (READ_BYTES + 1, MEDIUM_READ),
        (LARGE_STREAM - 1, MEDIUM_READ),
        (LARGE_STREAM, LARGE_READ),
    ],
)
async def test_a_large_request_is_read_with_larger_buffers(
    buffers: LargeBuffers, size: int, read: int
) -> None:
    reads: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        reads.append(cast(Any, request.transport).max_size)
        body = await request.content.readexactly(size)
        assert body == b"x" * size
        return web.Response()

    app = web.Application()
    app.router.add_post("/", answer)
    runner = application_runner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0])
    for _ in range(2):  # a connection gives its buffers back after each request
        writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size)
        writer.write(b"x" * size)
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    assert reads == [read, read]
    writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size)
    await until(lambda: len(reads) == 3)
    writer.transport.abort()  # and when it is lost
    await until(lambda: not runner.connections.connections)
    await runner.cleanup()
    assert buffers.give(_stream(), cast(Any, SimpleNamespace(max_size=USUAL_READ))) is not None


@pytest.mark.parametrize("length", [b"Content-Length: %d\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_a_large_answer_is_read_with_larger_buffers(
    buffers: LargeBuffers, length: bytes, client: OutboundClient
) -> None:
    size = 2 * LARGE_STREAM
    head = b"HTTP/1.1 200 OK\r\n" + (length % size if b"%" in length else length) + b"\r\n"
    body = b"x" * size if b"%" in length else b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)
    async with raw_upstream(answer_once(head + body)) as url:
        for _ in range(2):  # an answer gives its buffers back
            reply = await client.send(OutboundRequest("GET", url))
            assert isinstance(reply, OutboundReply)
            async with reply:
                assert sum([len(chunk) async for chunk in reply.chunks()]) == size
                assert _low_water(reply._response.content) == LARGE
    assert buffers.give(_stream(), cast(Any, SimpleNamespace(max_size=USUAL_READ))) is not None
