"""A download, and a stream of an answer, that nobody reads, through the whole proxy."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from tests.test_proxy.edge_server import rendered
from tests.test_proxy.ferry_process import ferry_process
from tests.test_proxy.raw_upstream import MIB, raw_upstream, read_head

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: 1000000000\r\n\r\n"
CHUNK = orjson.dumps({"choices": [{"index": 0, "delta": {"content": "a" * MIB}}]})
PROMPT = '{"contents":[{"parts":[{"text":"a"}]}]}'


@dataclass(frozen=True)
class Case:
    provider: str
    request: bytes
    head: bytes
    piece: bytes


DOWNLOAD = Case(
    "gemini",
    rendered("/genai/v1beta/files/a:download?alt=media", "x-goog-api-key: AIza-a-key"),
    HEAD % b"text/plain",
    bytes(MIB),
)
STREAM = Case(
    "openai",
    rendered(
        "/genai/v1beta/models/m:streamGenerateContent?alt=sse",
        "x-goog-api-key: sk-a-key",
        "x-model-provider: openai",
        f"Content-Length: {len(PROMPT)}",
        method="POST",
    )
    + PROMPT.encode(),
    HEAD % b"text/event-stream",
    b"data: %s\n\n" % CHUNK,
)


@pytest.mark.parametrize("case", [DOWNLOAD, STREAM], ids=["download", "stream"])
async def test_its_call_to_the_provider_ends(tmp_path: Path, case: Case) -> None:
    ended = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(case.head)
        try:
            while True:
                writer.write(case.piece)
                await writer.drain()
        except ConnectionError:
            ended.set()

    async with raw_upstream(endless) as url:
        settings = {
            "FERRY_PORT": "0",
            "FERRY_LOG_FORMAT": "json",
            "FERRY_STALL_SECONDS": "0.2",
            "FERRY_STATE_URL": tmp_path.as_uri(),
            f"FERRY_PROVIDERS__{case.provider.upper()}__BASE_URL": str(url),
        }
        async with ferry_process("-m", "proxy", environment=settings) as process:
            port = int((await process.event("listening"))["url"].rpartition(":")[2])
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(case.request)
            async with asyncio.timeout(20):
                await ended.wait()
                assert (await process.event("request"))["cut"] == "CancelledError"
            writer.close()
