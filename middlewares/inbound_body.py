"""The request body from the client: streamed, read whole up to a limit, or discarded."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

from aiohttp import ClientPayloadError, StreamReader, web

from middlewares.request_keys import GATEWAY, MEMORY, OBSERVATION
from providers.body import Body
from providers.errors import invalid_argument
from providers.limits import DISCARDED_BODY
from providers.timed_waits import TimedWaits

_DISCARD_SECONDS: Final = 30
# The least that a client must send, on average over FERRY_STALL_SECONDS: what it sends may be in
# memory as a whole.
_LEAST_BYTES_PER_SECOND: Final = 1 << 10

# The received text, and what is cut out of it, such as the text of each request.
_COPIES_IN_MEMORY: Final = 2

# What aiohttp raises if the client disconnected.
DISCONNECTED: Final = (ClientPayloadError, ConnectionError, web.RequestPayloadError)

T = TypeVar("T")


class ClientDisconnected(Exception):
    """The client disconnected while it was sending."""


class ClientTooSlow(ClientDisconnected):
    """The client sent too little for too long; the message says which limit that is."""


class Reading:
    """Reads from one client, which must send fast enough.

    A client that is waited for uses up its time, and gets time again for every byte.
    """

    def __init__(self, request: web.Request) -> None:
        self._seen = request[OBSERVATION]
        self._limit = request.app[GATEWAY].time_limits.stalled
        self._seconds_left = self._limit.seconds
        self._waits = TimedWaits()

    async def of(self, read: Awaitable[T]) -> T:
        """What `read` reads. Raises ClientDisconnected."""
        began = time.monotonic()
        try:
            with self._seen.waiting, self._waits.within(self._seconds_left):
                return await read
        except TimeoutError:
            raise ClientTooSlow(
                f"the body came too slowly: it needs {_LEAST_BYTES_PER_SECOND} bytes in each "
                f"second, on average over {self._limit}"
            ) from None
        except DISCONNECTED as error:
            raise ClientDisconnected from error
        finally:
            self._seconds_left -= time.monotonic() - began

    async def bytes_of(self, read: Awaitable[bytes]) -> bytes:
        """As `of`; empty at the end."""
        chunk = await self.of(read)
        if not chunk:
            self.end()
        self._seen.bytes_in += len(chunk)
        earned = len(chunk) / _LEAST_BYTES_PER_SECOND
        self._seconds_left = min(self._limit.seconds, self._seconds_left + earned)
        return chunk

    def end(self) -> None:
        """Nothing more is read."""
        self._waits.stop()


def _each_read(content: StreamReader) -> Callable[[], Awaitable[bytes]]:
    """For a body with a length: one with chunks of its own would be read in those."""

    async def read() -> bytes:
        return (await content.readchunk())[0]

    return read


class _Chunks(AsyncIterator[bytes]):
    """What the client sends. Not a generator, which could not continue after a cancellation."""

    def __init__(self, request: web.Request) -> None:
        self._reading = Reading(request)
        self._left = request.content_length
        content = request.content
        # What arrived in several reads is not joined, which would need it in memory twice.
        self._read = content.readany if request.content_length is None else _each_read(content)

    async def __anext__(self) -> bytes:
        chunk = await self._reading.bytes_of(self._read())
        if not chunk:
            raise StopAsyncIteration
        if self._left is not None:
            self._left -= len(chunk)
            if not self._left:  # its end may not be read
                self._reading.end()
        return chunk


def inbound_body(request: web.Request) -> Body:
    """The body as it arrives; without a Content-Length its length is unknown until it ends."""
    if not request.body_exists:
        return Body(_Chunks(request), 0)
    return Body(_Chunks(request), request.content_length)


def refuse_encoded(request: web.Request) -> None:
    """A body that is not relayed is parsed or stored, so it must not be compressed."""
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise invalid_argument("send the body uncompressed: Content-Encoding is not supported")


async def read_whole(request: web.Request, limit: int, what: str) -> bytes:
    """The whole body. Raises INVALID_ARGUMENT beyond `limit` bytes; `what` names the limit."""
    refuse_encoded(request)
    too_large = invalid_argument(f"the body is larger than {what} ({limit} bytes)")
    if (request.content_length or 0) > limit:
        raise too_large
    data = await read_counted(request, _Chunks(request), limit)
    if data is None:
        raise too_large
    return data


async def read_counted(
    request: web.Request, chunks: AsyncIterable[bytes], limit: int
) -> bytes | None:
    """As `read_up_to`. Memory is reserved as the bytes arrive, until the response is made."""
    reservation = request[MEMORY].enter_context(request.app[GATEWAY].memory.reserve())
    return await reservation.read(chunks, limit, _COPIES_IN_MEMORY)


async def discard(request: web.Request) -> bool:
    """Reads the rest of the body and throws it away; False if it stopped before the end.

    SDKs send a whole chunk before they read the response, so they would lose an early one.
    """
    left: int = DISCARDED_BODY
    try:
        with request[OBSERVATION].waiting:
            async with asyncio.timeout(_DISCARD_SECONDS):
                async for chunk in request.content.iter_any():
                    left -= len(chunk)
                    if left < 0:
                        return False
    except (TimeoutError, *DISCONNECTED):
        return False
    return True
