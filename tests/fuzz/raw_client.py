"""Sends bytes on a connection of their own, and reads the answer to them, if there is one."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.fuzz.mutations import Message

ANSWER_SECONDS: Final = 60.0
"""For the answer to a complete request. A busy machine is slow, so this is no measure of speed."""
PATIENCE_SECONDS: Final = 0.3
"""For the answer to bytes that may be an incomplete request."""
LARGEST_ANSWER: Final = 16 << 20


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> object:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # a download of what a test sent is nested deeply
            return None


async def exchange(host: str, port: int, message: Message) -> Answer | None:
    """The final answer. None if the connection ends without one, or may wait for more bytes.

    Raises TimeoutError if a complete request is not answered, ValueError for a malformed answer.
    """
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 20)
    try:
        async with asyncio.timeout(ANSWER_SECONDS if message.framed else PATIENCE_SECONDS):
            writer.write(message.data)
            return await _answer(reader, message.method)
    except (ConnectionError, asyncio.IncompleteReadError):
        return None
    except TimeoutError:
        if message.framed:
            raise
        return None
    finally:
        writer.transport.abort()


async def _answer(reader: asyncio.StreamReader, method: str) -> Answer:
    status, headers = 100, dict[str, str]()
    while status < 200:
        status, headers = _head(await reader.readuntil(b"\r\n\r\n"))
    if method == "HEAD" or status in (204, 304):
        return Answer(status, headers, b"")
    if headers.get("transfer-encoding") == "chunked":
        return Answer(status, headers, await _chunks(reader))
    length = headers.get("content-length")
    body = await reader.read(LARGEST_ANSWER) if length is None else await _exactly(reader, length)
    return Answer(status, headers, body)


async def _exactly(reader: asyncio.StreamReader, length: str) -> bytes:
    return await reader.readexactly(int(length))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    return body


def _head(data: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = data.decode("latin-1").split("\r\n")
    version, status, *_ = first.split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"not an HTTP answer: {first[:80]!r}")
    fields = (line.partition(":") for line in lines if line)
    return int(status), {name.lower(): value.strip() for name, _, value in fields}
