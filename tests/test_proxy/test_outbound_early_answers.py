"""Responses that arrive while the request is still being sent (streaming.md section 3)."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from providers.body import Body
from providers.upstream import OutboundRequest, UpstreamError
from proxy.outbound import OutboundClient
from tests.test_proxy.raw_upstream import (
    MIB,
    Source,
    raw_upstream,
    read_head,
    reset_on_close,
)


@pytest.mark.parametrize("ending", ["closed", "read"])
async def test_an_early_answer_is_returned_at_once(client: OutboundClient, ending: str) -> None:
    ended = asyncio.Event()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")
        await reader.read()
        ended.set()

    async with raw_upstream(conversation) as url:
        source = Source(b"begun", then=asyncio.Event())
        request = OutboundRequest("POST", url, {}, Body(source.chunks(), 100))
        async with await client.send(request) as reply:
            assert reply.status == 413
            if ending == "read":
                assert await reply.read(100) == b"large"
        assert source.released
        await ended.wait()


class BusyUpstream:
    """Answers in its own thread, and resets even while the event loop is blocked."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = URL(f"http://127.0.0.1:{self._server.getsockname()[1]}")
        self.may_reset = threading.Event()
        self.has_reset = threading.Event()
        self._thread = threading.Thread(target=self._converse)
        self._thread.start()

    def _converse(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(1 << 16)
            connection.sendall(self._answer)
            self.may_reset.wait()
            reset_on_close(connection)
        self.has_reset.set()

    def reset(self) -> None:
        """Blocks until the reset was sent: the loop cannot read it before the next write."""
        self.may_reset.set()
        self.has_reset.wait()

    def close(self) -> None:
        self.may_reset.set()
        self._thread.join()
        self._server.close()


@pytest.mark.parametrize("chunk", [b"x", b"x" * (4 * MIB)], ids=["small", "large"])
async def test_an_early_answer_survives_the_failed_write(
    client: OutboundClient, chunk: bytes
) -> None:
    """Both have arrived before the client's next write (streaming.md section 3)."""
    upstream = BusyUpstream(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")

    async def source() -> AsyncIterator[bytes]:
        yield chunk[:1]
        upstream.reset()
        for _ in range(8):
            yield chunk

    request = OutboundRequest("POST", upstream.url, {}, Body(source(), None))
    try:
        async with await client.send(request) as reply:
            assert reply.status == 413
            assert await reply.read(100) == b"large"
    finally:
        upstream.close()


async def test_a_failed_last_write_does_not_block_the_reply(
    client: OutboundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reset arrives between the check for input and the write, and the body ends there."""
    monkeypatch.setattr("proxy.outbound_body._input_check", lambda _: lambda: False)
    upstream = BusyUpstream(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nbegun")
    headers_read = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield b"first"
        await headers_read.wait()
        upstream.reset()
        yield b"last"

    request = OutboundRequest("POST", upstream.url, {}, Body(source(), None))
    try:
        async with await client.send(request) as reply:
            headers_read.set()
            async with asyncio.timeout(5):
                with pytest.raises(UpstreamError):
                    await reply.read(100)
    finally:
        upstream.close()


async def test_an_early_answer_survives_an_unfinished_write(client: OutboundClient) -> None:
    """The usual case: the client waits because of backpressure when the upstream gives up."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")
        reset_on_close(writer.get_extra_info("socket"))

    async with raw_upstream(conversation) as url:
        source = Source(*[b"x" * MIB] * 64)
        request = OutboundRequest("POST", url, {}, Body(source.chunks(), 64 * MIB))
        async with await client.send(request) as reply:
            assert reply.status == 413
            assert await reply.read(100) == b"large"
        assert source.released
