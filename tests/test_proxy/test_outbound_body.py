"""Request bodies that fail, and callers that cancel: neither is the upstream's fault."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from providers.body import Body, TruncatedBody
from providers.errors import invalid_argument
from providers.upstream import OutboundRequest
from proxy.outbound import OutboundClient
from tests.test_providers.streams import Watched
from tests.test_proxy.raw_upstream import (
    RecordingUpstream,
    Source,
    raw_upstream,
    read_head,
)

# --- a request body that fails ---------------------------------------------------------------


@pytest.mark.parametrize("length", [100, None], ids=["length", "chunked"])
@pytest.mark.parametrize(
    "failure",
    [invalid_argument("line 3"), ConnectionResetError("client"), TimeoutError(), ValueError("x")],
    ids=["refused", "client gone", "timeout", "bug"],
)
async def test_a_failing_source_is_not_the_upstreams_fault(
    client: OutboundClient, failure: Exception, length: int | None
) -> None:
    heard = RecordingUpstream()
    async with raw_upstream(heard) as url:
        body = Body(Source(b"begun", then=failure).chunks(), length)
        with pytest.raises(type(failure)) as caught:
            await client.send(OutboundRequest("POST", url, {}, body))
        await heard.ended.wait()
    assert caught.value is failure
    assert not heard.body.endswith(b"0\r\n\r\n")


async def test_a_cancelled_source_cancels_the_call(client: OutboundClient) -> None:
    heard = RecordingUpstream()
    async with raw_upstream(heard) as url:
        body = Body(Source(b"begun", then=asyncio.CancelledError()).chunks(), 100)
        with pytest.raises(asyncio.CancelledError):
            await client.send(OutboundRequest("POST", url, {}, body))
        await heard.ended.wait()


async def test_a_source_that_fails_after_the_answer_fails_the_reply(
    client: OutboundClient,
) -> None:
    headers_read = asyncio.Event()
    failure = invalid_argument("line 9")

    async def source() -> AsyncIterator[bytes]:
        yield b"begun"
        await headers_read.wait()
        raise failure

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end")
        await reader.read()

    async with raw_upstream(conversation) as url:
        request = OutboundRequest("POST", url, {}, Body(source(), 100))
        async with await client.send(request) as reply:
            headers_read.set()
            with pytest.raises(type(failure)) as caught:
                await reply.read(1000)
    assert caught.value is failure


@pytest.mark.parametrize("chunks", [[b"abc"], []], ids=["short", "empty"])
async def test_a_body_that_ends_early_breaks_the_connection(
    client: OutboundClient, chunks: list[bytes]
) -> None:
    heard = RecordingUpstream()
    async with raw_upstream(heard) as url:
        body = Body(Source(*chunks).chunks(), 4)
        with pytest.raises(TruncatedBody):
            await client.send(OutboundRequest("POST", url, {}, body))
        await heard.ended.wait()
    assert heard.body == b"".join(chunks)


@pytest.mark.parametrize(
    ("chunks", "length"),
    [([b"abcd", b"e"], 4), ([b"abc", b"de"], 4), ([b"abcd", b"", b"e"], 4), ([b"a"], 0)],
)
async def test_a_body_that_is_too_long_never_arrives_complete(
    client: OutboundClient, chunks: list[bytes], length: int
) -> None:
    heard = RecordingUpstream()
    async with raw_upstream(heard) as url:
        body = Body(Source(*chunks).chunks(), length)
        with pytest.raises(TruncatedBody):
            await client.send(OutboundRequest("POST", url, {}, body))
        await heard.ended.wait()
    assert not heard.data or len(heard.body) < length


async def test_a_chunk_that_was_sent_is_not_kept(client: OutboundClient) -> None:
    source = Watched()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await reader.readexactly(source.SIZE)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with raw_upstream(conversation) as url:
        body = Body(source.chunks(), source.SIZE)
        async with await client.send(OutboundRequest("POST", url, {}, body)) as reply:
            assert await reply.read(0) == b""
    # The last one is sent only when the source has ended.
    assert (source.read, source.kept) == (source.SIZE, [2])


# --- a caller that cancels -------------------------------------------------------------------


@pytest.mark.parametrize("waiting", ["for the answer", "for the source"])
async def test_a_cancelled_call_is_seen_upstream(client: OutboundClient, waiting: str) -> None:
    heard = RecordingUpstream()
    source = Source(b"all", then=asyncio.Event() if waiting == "for the source" else None)
    length = None if waiting == "for the source" else 3
    async with raw_upstream(heard) as url:
        request = OutboundRequest("POST", url, {}, Body(source.chunks(), length))
        call = asyncio.create_task(client.send(request))
        await heard.started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert source.released
        await heard.ended.wait()
    assert not heard.body.endswith(b"0\r\n\r\n")


async def test_a_cancelled_read_is_seen_upstream(client: OutboundClient) -> None:
    ended = asyncio.Event()
    reading = asyncio.Event()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
        await reader.read()
        ended.set()

    async def read(url: URL) -> None:
        async with await client.send(OutboundRequest("GET", url)) as reply:
            async for _ in reply.chunks():
                reading.set()

    async with raw_upstream(conversation) as url:
        call = asyncio.create_task(read(url))
        await reading.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await ended.wait()
