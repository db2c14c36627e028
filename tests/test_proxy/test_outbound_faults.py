"""The outbound client over real sockets: whose fault it is when a call breaks."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from yarl import URL

from providers.body import Body, TruncatedBody
from providers.errors import invalid_argument
from providers.upstream import OutboundRequest, Reply, UpstreamError
from proxy.outbound import OutboundClient, Timeouts
from tests.test_proxy.raw_upstream import Conversation, raw_upstream, read_head, resetting

SECRET_QUERY = "key=AIzaSecret"
MIB = 1 << 20


@pytest.fixture
async def impatient() -> AsyncIterator[OutboundClient]:
    client = OutboundClient(Timeouts(connect=0.05, silence=0.05))
    yield client
    await client.close()


class Source:
    """A body's source that tells when it was let go."""

    def __init__(self, *chunks: bytes, then: BaseException | asyncio.Event | None = None) -> None:
        self._chunks = chunks
        self._then = then
        self.let_go = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            for chunk in self._chunks:
                yield chunk
            if isinstance(self._then, asyncio.Event):
                await self._then.wait()
            elif self._then is not None:
                raise self._then
        finally:
            for _ in range(5):  # a source may take a moment to stop
                await asyncio.sleep(0)
            self.let_go = True


class Heard:
    """What an upstream heard until the connection ended."""

    def __init__(self) -> None:
        self.data = b""
        self.started = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        try:
            self.data = await read_head(reader)
            self.started.set()
            while chunk := await reader.read(MIB):
                self.data += chunk
        finally:
            self.ended.set()

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]


def answering(data: bytes) -> Conversation:
    """Reads the head of a request, answers `data`, and closes."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(data)

    return conversation


async def refused(client: OutboundClient, request: OutboundRequest) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        async with await client.send(request) as reply:
            await reply.read(10 * MIB)
    assert "AIza" not in str(caught.value)
    return caught.value


async def _collect(reply: Reply, into: list[bytes]) -> None:
    async for chunk in reply.chunks():
        into.append(chunk)  # noqa: PERF401 - what came before an error counts


# --- no connection ---------------------------------------------------------------------------


async def test_a_refused_connection_sent_nothing(client: OutboundClient) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = URL(f"http://127.0.0.1:{unheard.getsockname()[1]}/?{SECRET_QUERY}")
        error = await refused(client, OutboundRequest("POST", url, {}, b"x"))
    assert (error.status, error.unsent) == ("UNAVAILABLE", True)
    assert "127.0.0.1" in error.message


async def test_an_unknown_host_got_nothing(
    client: OutboundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    request = OutboundRequest("POST", URL("http://upstream.example"), {}, b"x")
    error = await refused(client, request)
    assert (error.status, error.unsent) == ("UNAVAILABLE", True)


@pytest.mark.parametrize("greeting", [b"", b"220 not TLS\r\n"])
async def test_a_failed_handshake_sent_nothing(client: OutboundClient, greeting: bytes) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(greeting)

    async with raw_upstream(conversation) as url:
        secure = url.with_scheme("https")
        error = await refused(client, OutboundRequest("POST", secure, {}, b"x"))
    assert (error.status, error.unsent) == ("UNAVAILABLE", True)


@pytest.fixture
def full_upstream() -> Iterator[URL]:
    """Its queue of connections is full, and nothing takes one out."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        yield URL(f"http://127.0.0.1:{server.getsockname()[1]}")
        for sock in waiting:
            sock.close()


async def test_no_connection_in_time_sent_nothing(
    impatient: OutboundClient, full_upstream: URL
) -> None:
    error = await refused(impatient, OutboundRequest("POST", full_upstream, {}, b"x"))
    assert (error.status, error.unsent) == ("DEADLINE_EXCEEDED", True)


# --- no answer, or a broken one --------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"what is this\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nshort\r\n",
    ],
    ids=["none", "half a head", "not HTTP", "length", "chunked", "bad chunk"],
)
async def test_a_broken_answer_is_unavailable(client: OutboundClient, answer: bytes) -> None:
    async with raw_upstream(answering(answer)) as url:
        target = url.with_query(SECRET_QUERY)
        error = await refused(client, OutboundRequest("POST", target, {}, b"x"))
    assert (error.status, error.unsent) == ("UNAVAILABLE", False)


async def test_what_came_before_the_break_is_given(client: OutboundClient) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"
    came: list[bytes] = []
    async with raw_upstream(answering(answer)) as url:
        async with await client.send(OutboundRequest("GET", url)) as reply:
            with pytest.raises(UpstreamError):
                await _collect(reply, came)
    assert came == [b"short"]


async def test_a_reset_in_the_answer_is_unavailable(client: OutboundClient) -> None:
    head_read = asyncio.Event()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
        await head_read.wait()
        resetting(writer.get_extra_info("socket"))

    async with raw_upstream(conversation) as url:
        async with await client.send(OutboundRequest("GET", url)) as reply:
            head_read.set()
            with pytest.raises(UpstreamError) as caught:
                await reply.read(100)
    assert caught.value.status == "UNAVAILABLE"


async def test_silence_before_the_answer_is_a_timeout(impatient: OutboundClient) -> None:
    heard = Heard()
    async with raw_upstream(heard) as url:
        error = await refused(impatient, OutboundRequest("POST", url, {}, b"x"))
        await heard.ended.wait()
    assert (error.status, error.unsent) == ("DEADLINE_EXCEEDED", False)


async def test_silence_in_the_answer_is_a_timeout(impatient: OutboundClient) -> None:
    ended = asyncio.Event()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
        await reader.read()
        ended.set()

    async with raw_upstream(conversation) as url:
        error = await refused(impatient, OutboundRequest("GET", url))
        await ended.wait()
    assert error.status == "DEADLINE_EXCEEDED"


async def test_an_upstream_that_stops_reading_is_a_timeout(impatient: OutboundClient) -> None:
    closing = asyncio.Event()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await closing.wait()

    async with raw_upstream(conversation) as url:
        source = Source(*[b"x" * MIB] * 64)
        request = OutboundRequest("POST", url, {}, Body(source.chunks(), 64 * MIB))
        error = await refused(impatient, request)
        closing.set()
    assert error.status == "DEADLINE_EXCEEDED"
    assert source.let_go


async def test_a_body_that_takes_its_time_is_no_timeout(impatient: OutboundClient) -> None:
    """Only the upstream's silence counts."""
    timer = asyncio.Event()
    asyncio.get_running_loop().call_later(0.2, timer.set)

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await reader.readexactly(1)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def source() -> AsyncIterator[bytes]:
        await timer.wait()
        yield b"x"

    async with raw_upstream(conversation) as url:
        request = OutboundRequest("POST", url, {}, Body(source(), 1))
        async with await impatient.send(request) as reply:
            assert reply.status == 204


async def test_what_was_sent_is_never_sent_again(client: OutboundClient) -> None:
    """Not even by an idempotent method, as aiohttp would."""
    heads: list[bytes] = []

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await read_head(reader))

    async with raw_upstream(conversation) as url:
        error = await refused(client, OutboundRequest("PUT", url, {}, b"x"))
    assert error.status == "UNAVAILABLE"
    assert len(heads) == 1


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
    heard = Heard()
    async with raw_upstream(heard) as url:
        body = Body(Source(b"begun", then=failure).chunks(), length)
        with pytest.raises(type(failure)) as caught:
            await client.send(OutboundRequest("POST", url, {}, body))
        await heard.ended.wait()
    assert caught.value is failure
    assert not heard.body.endswith(b"0\r\n\r\n")


async def test_a_cancelled_source_cancels_the_call(client: OutboundClient) -> None:
    heard = Heard()
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
    heard = Heard()
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
async def test_a_body_that_is_too_long_never_arrives_whole(
    client: OutboundClient, chunks: list[bytes], length: int
) -> None:
    heard = Heard()
    async with raw_upstream(heard) as url:
        body = Body(Source(*chunks).chunks(), length)
        with pytest.raises(TruncatedBody):
            await client.send(OutboundRequest("POST", url, {}, body))
        await heard.ended.wait()
    assert not heard.data or len(heard.body) < length


# --- an answer that comes early --------------------------------------------------------------


@pytest.mark.parametrize("ending", ["closed", "read"])
async def test_an_early_answer_is_there_at_once(client: OutboundClient, ending: str) -> None:
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
        assert source.let_go
        await ended.wait()


class BusyUpstream:
    """Answers in a thread of its own, and resets even while the event loop is kept from running."""

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
            resetting(connection)
        self.has_reset.set()

    def reset(self) -> None:
        """Blocks until the reset is out: the loop cannot read it before the next write."""
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
    """The answer and the reset are both there before the client's next write (streaming.md)."""
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


async def test_a_last_write_that_fails_does_not_leave_the_reply_hanging(
    client: OutboundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reset comes in the moment between listening and writing, and the body ends there."""
    monkeypatch.setattr("proxy.outbound_body._ear", lambda _: lambda: False)
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


async def test_an_early_answer_survives_a_write_under_way(client: OutboundClient) -> None:
    """The usual case: the client is held up by backpressure when the upstream gives up."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")
        resetting(writer.get_extra_info("socket"))

    async with raw_upstream(conversation) as url:
        source = Source(*[b"x" * MIB] * 64)
        request = OutboundRequest("POST", url, {}, Body(source.chunks(), 64 * MIB))
        async with await client.send(request) as reply:
            assert reply.status == 413
            assert await reply.read(100) == b"large"
        assert source.let_go


# --- a caller that leaves --------------------------------------------------------------------


@pytest.mark.parametrize("waiting", ["for the answer", "for the source"])
async def test_a_cancelled_call_is_seen_upstream(client: OutboundClient, waiting: str) -> None:
    heard = Heard()
    source = Source(b"all", then=asyncio.Event() if waiting == "for the source" else None)
    length = None if waiting == "for the source" else 3
    async with raw_upstream(heard) as url:
        request = OutboundRequest("POST", url, {}, Body(source.chunks(), length))
        call = asyncio.create_task(client.send(request))
        await heard.started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert source.let_go
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
