"""A download that nobody reads, through the whole proxy."""

import asyncio
from pathlib import Path

from tests.test_proxy.edge_server import rendered
from tests.test_proxy.ferry_process import ferry_process
from tests.test_proxy.raw_upstream import MIB, raw_upstream, read_head

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\n"


async def test_its_call_to_the_provider_ends(tmp_path: Path) -> None:
    ended = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(HEAD)
        try:
            while True:
                writer.write(bytes(MIB))
                await writer.drain()
        except ConnectionError:
            ended.set()

    async with raw_upstream(endless) as url:
        settings = {
            "FERRY_PORT": "0",
            "FERRY_LOG_FORMAT": "json",
            "FERRY_STALL_SECONDS": "0.2",
            "FERRY_STATE_URL": tmp_path.as_uri(),
            "FERRY_PROVIDERS__GEMINI__BASE_URL": str(url),
        }
        async with ferry_process("-m", "proxy", environment=settings) as process:
            port = int((await process.event("listening"))["url"].rpartition(":")[2])
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            target = "/genai/v1beta/files/a:download?alt=media"
            writer.write(rendered(target, "x-goog-api-key: AIza-a-key"))
            async with asyncio.timeout(20):
                await ended.wait()
                assert (await process.event("request"))["cut"] == "CancelledError"
            writer.close()
