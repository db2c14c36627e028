"""Clients that are slow, disconnect, or send garbage half way: nothing stays open for them."""

import asyncio
from pathlib import Path

import pytest

from tests.test_middlewares.running_proxy import (
    BATCHES,
    GEMINI_KEY,
    START,
    Headers,
    RunningProxy,
    read_answer,
    rendered,
    running_proxy,
)

GEMINI: Headers = {"x-model-provider": "gemini", "x-goog-api-key": GEMINI_KEY}
RAW: Headers = {"X-Goog-Upload-Protocol": "raw"}
MULTIPART: Headers = {"Content-Type": "multipart/related; boundary=b"}
GENERATE = "/genai/v1beta/models/m:generateContent"
INLINE = (
    b'{"batch":{"inputConfig":{"requests":{"requests":'
    b'[{"request":{"contents":[{"parts":[{"text":"a"}]}]}}]}}}}'
)
HALF = b"--b\r\n\r\n{}\r\n--b\r\n\r\n" + b"x" * 100_000


def promised(headers: Headers) -> Headers:
    """With a Content-Length that is larger than the body."""
    return {**headers, "Content-Length": "10000000"}


async def test_a_body_sent_byte_by_byte_is_accepted(proxy: RunningProxy) -> None:
    async with proxy.connection() as (reader, writer):
        writer.write(rendered("POST", BATCHES, {"Content-Length": str(len(INLINE))}))
        for byte in INLINE:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        assert (await read_answer(reader)).status == 200


@pytest.mark.parametrize(
    ("target", "headers", "half"),
    [
        pytest.param(BATCHES, {}, INLINE, id="batch"),
        pytest.param(START, {}, b'{"file":', id="start"),
        pytest.param(START, MULTIPART, b"--b\r\n", id="multipart, first part"),
        pytest.param(START, MULTIPART, HALF, id="multipart, second part"),
        pytest.param(START, RAW, b"x" * 100_000, id="raw"),
        pytest.param(GENERATE, GEMINI, b'{"contents":', id="relayed"),
        pytest.param("/genai/v1/files", {"x-goog-api-key": ""}, b"x", id="no key"),
        pytest.param("/elsewhere", {}, b"x", id="not found"),
    ],
)
async def test_a_client_that_disconnects_during_a_body_leaves_nothing(
    proxy: RunningProxy, target: str, headers: Headers, half: bytes
) -> None:
    async with proxy.connection() as (_, writer):
        writer.write(rendered("POST", target, promised(headers)) + half)
        await writer.drain()
    logged = await proxy.until_logged("request")
    assert logged["status"] != 500
    assert proxy.gateway.memory.used == 0
    assert proxy.kept() == []
    posted = await proxy.posted(proxy.openai)
    assert [request for request in posted if request["outcome"] == "answered"] == []


@pytest.mark.parametrize(("fake", "headers"), [("openai", RAW), ("gemini", {**GEMINI, **RAW})])
async def test_a_client_that_disconnects_ends_the_upstream_call(
    proxy: RunningProxy, fake: str, headers: Headers
) -> None:
    upstream = getattr(proxy, fake)
    async with proxy.connection() as (_, writer):
        writer.write(rendered("POST", START, promised(headers)) + b"x" * 500_000)
        await proxy.wait_upstream(upstream, wait="bytes", path="files", count=100_000)
    await proxy.wait_upstream(upstream, wait="requests", path="files", count=1)
    (seen,) = await proxy.posted(upstream)
    assert seen["outcome"] != "answered"
    assert (await proxy.until_logged("request"))["status"] != 500


@pytest.mark.parametrize(
    ("target", "headers", "half"),
    [
        pytest.param(BATCHES, {}, b"{", id="batch"),
        pytest.param(START, {}, b"{", id="start"),
        pytest.param(START, MULTIPART, HALF[:1000], id="multipart"),
        pytest.param(START, RAW, b"x" * 1000, id="raw"),
        pytest.param(GENERATE, GEMINI, b"{", id="relayed"),
    ],
)
async def test_an_invalid_chunk_size_in_the_middle_of_a_body(
    proxy: RunningProxy, target: str, headers: Headers, half: bytes
) -> None:
    """aiohttp itself does not tell the handler, which would wait for the rest of the body."""
    chunked = {**headers, "Transfer-Encoding": "chunked"}
    chunk = f"{len(half):x}\r\n".encode() + half + b"\r\n"
    async with proxy.connection() as (reader, writer):
        writer.write(rendered("POST", target, chunked) + chunk)
        await writer.drain()
        await proxy.begun.wait()
        writer.write(b"ZZ\r\n")
        (await read_answer(reader)).refused(400, "INVALID_ARGUMENT")
    assert (await proxy.until_logged("request"))["status"] == 400
    assert proxy.kept() == []


@pytest.mark.parametrize(("fake", "headers"), [("openai", {}), ("gemini", GEMINI)])
async def test_a_client_that_disconnects_before_the_answer_cancels_the_upstream_call(
    proxy: RunningProxy, fake: str, headers: Headers
) -> None:
    upstream = getattr(proxy, fake)
    await proxy.strike(upstream, {"path": "files"}, {"kind": "delay", "name": "held"})
    async with proxy.connection() as (_, writer):
        writer.write(rendered("GET", "/genai/v1beta/files", headers))
        await proxy.wait_upstream(upstream, wait="held")
    await proxy.wait_upstream(upstream, wait="requests", outcome="client_gone")
    assert (await proxy.until_logged("request"))["status"] == 499


@pytest.mark.parametrize(
    ("target", "headers", "sent"),
    [
        pytest.param(BATCHES, {}, b"{", id="batch"),
        pytest.param(START, {}, b"{", id="start"),
        pytest.param(START, RAW, b"x", id="raw"),
        pytest.param(START, MULTIPART, b"--b\r\n", id="multipart, first part"),
        pytest.param(START, MULTIPART, HALF[:900], id="multipart, second part"),
    ],
)
async def test_a_silent_client_is_disconnected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, headers: Headers, sent: bytes
) -> None:
    async with running_proxy(tmp_path, monkeypatch, stall_seconds=0.05) as proxy:
        answer = await proxy.ask("POST", target, {**headers, "Content-Length": "1000"}, sent)
        message = answer.refused(504, "DEADLINE_EXCEEDED")
        assert "1024 bytes in each second" in message
        assert "0.05 seconds (FERRY_STALL_SECONDS)" in message
        assert answer.headers["connection"] == "close"
        assert proxy.gateway.memory.used == 0


async def test_a_client_that_is_still_sending_gets_an_early_refusal(proxy: RunningProxy) -> None:
    headers = {"Content-Length": "8000000", "x-goog-api-key": ""}
    async with proxy.connection() as (reader, writer):
        writer.write(rendered("POST", START, headers) + b"x" * 8_000_000)
        (await read_answer(reader)).refused(401, "UNAUTHENTICATED")


async def test_a_client_that_sends_endlessly_is_cut_off_with_an_answer(proxy: RunningProxy) -> None:
    async with proxy.connection() as (reader, writer):
        sending = asyncio.create_task(_send_forever(writer))
        answer = await read_answer(reader)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    answer.refused(401, "UNAUTHENTICATED")
    assert answer.headers["connection"] == "close"


async def _send_forever(writer: asyncio.StreamWriter) -> None:
    headers = {"Content-Length": str(10**12), "x-goog-api-key": ""}
    writer.write(rendered("POST", START, headers))
    while True:
        writer.write(b"x" * 1_000_000)
        await writer.drain()


async def test_pipelined_requests_are_answered_in_order(proxy: RunningProxy) -> None:
    good, bad = rendered("GET", "/genai/v1/files"), rendered("GET", "/genai/v1/files/%00")
    async with proxy.connection() as (reader, writer):
        writer.write(good + bad + good)
        assert [(await read_answer(reader)).status for _ in range(3)] == [200, 400, 200]
