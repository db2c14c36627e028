"""An upstream that sends raw bytes, to test what no well-behaved server does."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from yarl import URL

MIB = 1 << 20

Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_upstream(conversation: Conversation) -> AsyncIterator[URL]:
    """Runs `conversation` for each connection, and closes the connection after it."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await conversation(reader, writer)
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    try:
        yield URL.build(scheme="http", host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def reset_on_close(sock: socket.socket) -> None:
    """Makes the next close of `sock` a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answer_once(data: bytes) -> Conversation:
    """Reads the head of a request, sends `data`, and closes."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(data)

    return conversation


class Source:
    """A body's source that records when it was released."""

    def __init__(self, *chunks: bytes, then: BaseException | asyncio.Event | None = None) -> None:
        self._chunks = chunks
        self._then = then
        self.released = False

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
            self.released = True


class RecordingUpstream:
    """An upstream that records what it receives until the connection ends."""

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
