"""Malformed HTTP, sent as raw bytes."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
from aiohttp import web

from proxy.connection import EnvelopeRunner


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(text="served")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = EnvelopeRunner(app, access_log=None, max_line_size=8192)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield site.port
    await runner.cleanup()


async def answer(port: int, request: bytes) -> tuple[bytes, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(10):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return head, body
    finally:
        writer.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /genai/v1/files?key=sk-secret HTTP/9.9 no\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nx-goog-api-key: sk-secret\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nx-goog-api-key sk-secret\r\n\r\n",
        b"GET /" + b"sk-secret" * 2000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"\x16\x03\x01 sk-secret\r\n\r\n",
    ],
)
async def test_it_gets_the_envelope_without_a_quote(port: int, request_bytes: bytes) -> None:
    head, body = await answer(port, request_bytes)
    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    error = orjson.loads(body)["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert b"sk-secret" not in head + body
    assert b"Server: genai-ferry" in head


async def test_readable_http_is_served(port: int) -> None:
    _, body = await answer(port, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert body == b"served"
