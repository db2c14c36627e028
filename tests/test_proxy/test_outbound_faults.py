"""The outbound client without a response, or with a broken one."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from yarl import URL

from providers.body import Body
from providers.deadlines import CALL_LIMITS, TimeLimits
from providers.status import Status
from providers.upstream import OutboundRequest, Reply, UpstreamError
from proxy.outbound import OutboundClient, Timeouts
from tests.test_proxy.certificates import certificate
from tests.test_proxy.raw_upstream import (
    MIB,
    RecordingUpstream,
    Source,
    answer_once,
    raw_upstream,
    read_head,
    reset_on_close,
)

SECRET_QUERY = "key=AIzaSecret"


@pytest.fixture
async def impatient() -> AsyncIterator[OutboundClient]:
    client = OutboundClient(Timeouts(connect=0.05, limits=TimeLimits(0.05, 0.06, 0.07)))
    yield client
    await client.close()


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
    assert (error.status, error.unsent) == (Status.UNAVAILABLE, True)
    assert "127.0.0.1" in error.message


@pytest.mark.parametrize(
    ("reason", "status", "code"),
    [
        (socket.EAI_NONAME, Status.FAILED_PRECONDITION, 400),
        (socket.EAI_NODATA, Status.FAILED_PRECONDITION, 400),
        (socket.EAI_AGAIN, Status.UNAVAILABLE, 503),
    ],
)
async def test_an_unknown_host_was_sent_nothing(
    client: OutboundClient, monkeypatch: pytest.MonkeyPatch, reason: int, status: Status, code: int
) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(reason, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    request = OutboundRequest("POST", URL("http://upstream.example"), {}, b"x")
    error = await refused(client, request)
    assert (error.status, error.code, error.unsent) == (status, code, True)
    assert "upstream.example" in error.message


async def test_a_host_that_resolved_before_may_come_back(
    client: OutboundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with raw_upstream(answer_once(answer)) as url:
        request = OutboundRequest("GET", url.with_host("localhost"), {})
        async with await client.send(request):
            pass

    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    other_port = OutboundRequest("GET", request.url.with_port(1), {})
    error = await refused(client, other_port)
    assert (error.status, error.unsent) == (Status.UNAVAILABLE, True)


@pytest.mark.parametrize(
    ("greeting", "status"),
    [(b"", Status.UNAVAILABLE), (b"220 not TLS\r\n", Status.FAILED_PRECONDITION)],
)
async def test_a_failed_handshake_sent_nothing(
    client: OutboundClient, greeting: bytes, status: Status
) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(greeting)

    async with raw_upstream(conversation) as url:
        secure = url.with_scheme("https")
        error = await refused(client, OutboundRequest("POST", secure, {}, b"x"))
    assert (error.status, error.unsent) == (status, True)


async def test_an_untrusted_certificate_is_the_operators_problem(
    client: OutboundClient, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = URL(f"https://127.0.0.1:{port}/?{SECRET_QUERY}")
        error = await refused(client, OutboundRequest("POST", url, {}, b"x"))
    assert (error.status, error.code, error.unsent) == (Status.FAILED_PRECONDITION, 400, True)
    assert "certificate of 127.0.0.1 is not trusted" in error.message


@pytest.fixture
def full_upstream() -> Iterator[URL]:
    """Its queue of connections is full, and no connection is accepted."""
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
    assert (error.status, error.unsent) == (Status.DEADLINE_EXCEEDED, True)


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
    async with raw_upstream(answer_once(answer)) as url:
        target = url.with_query(SECRET_QUERY)
        error = await refused(client, OutboundRequest("POST", target, {}, b"x"))
    assert (error.status, error.unsent) == (Status.UNAVAILABLE, False)


@pytest.mark.parametrize("status", ["099", "101", "600", "999"])
async def test_a_status_that_is_no_final_one_is_unavailable(
    client: OutboundClient, status: str
) -> None:
    head = f"HTTP/1.1 {status} Odd\r\nUpgrade: h2c\r\nConnection: upgrade\r\n"
    async with raw_upstream(answer_once(f"{head}Content-Length: 0\r\n\r\n".encode())) as url:
        error = await refused(client, OutboundRequest("GET", url))
    assert (error.status, error.unsent) == (Status.UNAVAILABLE, False)
    assert error.message.endswith(f"the status {int(status)}, which is no final status")


async def test_bytes_before_the_break_are_returned(client: OutboundClient) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"
    came: list[bytes] = []
    async with raw_upstream(answer_once(answer)) as url:
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
        reset_on_close(writer.get_extra_info("socket"))

    async with raw_upstream(conversation) as url:
        async with await client.send(OutboundRequest("GET", url)) as reply:
            head_read.set()
            with pytest.raises(UpstreamError) as caught:
                await reply.read(100)
    assert caught.value.status == Status.UNAVAILABLE


async def test_silence_before_the_answer_is_a_timeout(impatient: OutboundClient) -> None:
    heard = RecordingUpstream()
    async with raw_upstream(heard) as url:
        error = await refused(impatient, OutboundRequest("POST", url, {}, b"x"))
        await heard.ended.wait()
    assert (error.status, error.unsent) == (Status.DEADLINE_EXCEEDED, False)
    assert error.message == "127.0.0.1 sent nothing for 0.07 seconds (FERRY_ANSWER_SECONDS)"


async def test_a_call_has_the_limits_of_the_request_that_it_is_for(client: OutboundClient) -> None:
    async with raw_upstream(RecordingUpstream()) as url:
        token = CALL_LIMITS.set(TimeLimits(stall=0.05).moving_call())
        error = await refused(client, OutboundRequest("POST", url, {}, b"x"))
        CALL_LIMITS.reset(token)
    assert error.message == "127.0.0.1 sent nothing for 0.05 seconds (FERRY_STALL_SECONDS)"


async def test_nothing_is_sent_if_no_time_is_left(client: OutboundClient) -> None:
    token = CALL_LIMITS.set(replace(TimeLimits().short_call(), ends=0))
    error = await refused(client, OutboundRequest("GET", URL("http://127.0.0.1:1")))
    CALL_LIMITS.reset(token)
    assert (error.status, error.unsent) == (Status.DEADLINE_EXCEEDED, True)
    assert "60 seconds (FERRY_CALL_SECONDS)" in error.message


async def test_an_answer_that_comes_byte_by_byte_ends(impatient: OutboundClient) -> None:
    """One that is read as a whole has one deadline; each byte alone would be in time."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        loop = asyncio.get_running_loop()

        def trickle() -> None:
            if not writer.is_closing():
                writer.write(b" ")
                loop.call_later(0.01, trickle)

        trickle()
        await reader.read()

    async with raw_upstream(conversation) as url:
        error = await refused(impatient, OutboundRequest("GET", url))
    assert error.status == Status.DEADLINE_EXCEEDED
    assert "did not finish its answer within 0.05 seconds (FERRY_STALL_SECONDS)" in error.message


async def test_a_request_may_allow_a_longer_silence(impatient: OutboundClient) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        timer = asyncio.Event()
        asyncio.get_running_loop().call_later(0.2, timer.set)
        await timer.wait()
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with raw_upstream(conversation) as url:
        async with await impatient.send(OutboundRequest("GET", url, silence=30.0)) as reply:
            assert reply.status == 204
        assert (
            await refused(impatient, OutboundRequest("GET", url))
        ).status == Status.DEADLINE_EXCEEDED


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
    assert error.status == Status.DEADLINE_EXCEEDED


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
    assert error.status == Status.DEADLINE_EXCEEDED
    assert error.message == "127.0.0.1 read nothing for 0.05 seconds (FERRY_STALL_SECONDS)"
    assert source.released


async def test_a_slow_body_is_not_a_timeout(impatient: OutboundClient) -> None:
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


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_a_sent_body_is_never_sent_again(client: OutboundClient, method: str) -> None:
    """Not even with an idempotent method, which aiohttp would repeat."""
    heads: list[bytes] = []

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await read_head(reader))

    async with raw_upstream(conversation) as url:
        error = await refused(client, OutboundRequest(method, url, {}, b"x"))
    assert error.status == Status.UNAVAILABLE
    assert len(heads) == 1
