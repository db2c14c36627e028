"""A client that leaves, is slow, or declares other than it sends: no work goes on for it."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.end_to_end.batch_client import BatchClient, asking
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.test_downloads_cut import RESULTS
from tests.processes import Process, proxy
from tests.test_faults.calls import READS, prepare

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

RAW: Final = {"X-Goog-Upload-Protocol": "raw", "Content-Type": "image/png"}
UPLOAD: Final = "upload/v1beta/files"
PAUSE_SECONDS: Final = 0.1


@pytest.fixture
def client(fake: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, fake.kind, http)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def impatient(
    ferry: Ferry, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Process]:
    """A proxy that waits for a body for half a second."""
    state = tmp_path_factory.mktemp("impatient")
    async with proxy(state, ferry.upstreams, {"FERRY_STALL_SECONDS": "0.5"}) as process:
        yield process


class Connection:
    """One request whose body the test writes itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> bytes:
        """Everything until the proxy closes the connection, or resets it."""
        received = b""
        try:
            while piece := await self.reader.read(1 << 16):
                received += piece
        except ConnectionResetError:
            pass
        return received

    async def trickle(self) -> bytes:
        """Sends a byte now and then, until there is a whole answer."""
        answering = asyncio.create_task(self._one_answer())
        while not answering.done():
            self.writer.write(b" ")
            await asyncio.wait({answering}, timeout=PAUSE_SECONDS)
        return await answering

    async def _one_answer(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: ([0-9]+)", head)
        assert length is not None
        return head + await self.reader.readexactly(int(length[1]))


@asynccontextmanager
async def posting(
    base_url: str, path: str, headers: Mapping[str, str], declared: int
) -> AsyncIterator[Connection]:
    """A POST with a body of `declared` bytes, of which none is sent yet."""
    parts = urlsplit(f"{base_url}/{path}")
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    sent = {**headers, "Host": parts.netloc, "Content-Length": str(declared)}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    writer.write(f"POST {parts.path} HTTP/1.1\r\n{head}\r\n".encode())
    try:
        yield Connection(reader, writer)
    finally:
        writer.transport.abort()


def authorised(fake: FakeClient) -> dict[str, str]:
    return {"x-goog-api-key": fake.kind.key, **fake.kind.headers}


async def test_a_client_that_leaves_in_a_download(client: BatchClient, fake: FakeClient) -> None:
    on = await prepare(client)
    slow = await fake.arm({"method": "GET", "path": RESULTS[fake.kind.name]}, "trickle")
    downloading = asyncio.ensure_future(READS["download"](client, on))
    await fake.struck(slow)
    downloading.cancel()
    await fake.ended(path=RESULTS[fake.kind.name], outcome="client_gone")


@pytest.mark.parametrize("fake", ["gemini"], indirect=True)
async def test_a_client_that_leaves_in_a_stream(client: BatchClient, fake: FakeClient) -> None:
    await fake.settings(write_rate=100)
    path = "v1beta/models/gemini-2.5-flash:streamGenerateContent"
    async with ClientSession() as leaving:
        asked = asking("a word " * 1000)
        url = f"{client.base_url}/{path}?alt=sse"
        async with leaving.post(url, json=asked, headers=authorised(fake)) as reply:
            assert (await reply.content.readline()).startswith(b"data: ")
            reply.close()
    await fake.ended(path="streamGenerateContent$", outcome="client_gone")


@pytest.mark.parametrize("path", [UPLOAD, "v1beta/models/{model}:batchGenerateContent"])
async def test_a_client_that_sends_a_byte_now_and_then(
    impatient: Process, fake: FakeClient, http: ClientSession, path: str
) -> None:
    client = BatchClient(f"{impatient.url}/genai", fake.kind, http)
    headers = {**authorised(fake), **(RAW if path == UPLOAD else {})}
    path = path.format(model=client.model)
    async with posting(client.base_url, path, headers, 10_000) as slow:
        answer = await slow.trickle()
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert b"FERRY_STALL_SECONDS" in answer
    objects = await fake.objects()
    assert (objects["files"], objects["batches"]) == ([], [])


async def test_a_client_that_sends_less_than_it_declares(
    client: BatchClient, fake: FakeClient
) -> None:
    async with posting(client.base_url, UPLOAD, {**authorised(fake), **RAW}, 100) as short:
        short.writer.write(b"an image")
        short.writer.write_eof()
        assert not (await short.answer()).startswith(b"HTTP/1.1 200")
    assert (await fake.objects())["files"] == []


async def test_a_client_that_sends_more_than_it_declares(
    client: BatchClient, fake: FakeClient
) -> None:
    """The rest is not part of the file. It is refused, also if the whole request still can be."""
    async with posting(client.base_url, UPLOAD, {**authorised(fake), **RAW}, 8) as long:
        long.writer.write(b"an image and more that is no request\r\n\r\n")
        answer = await long.answer()
    statuses = re.findall(rb"HTTP/1\.[01] ([0-9]{3})", answer)
    assert statuses in ([b"200", b"400"], [b"400"])
    listed = (await client.call("GET", "v1beta/files")).ok.get("files", [])
    sizes = [int(file["sizeBytes"]) for file in listed]
    assert sizes in ([], [8])
    assert sizes or statuses == [b"400"]
