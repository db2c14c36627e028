"""The body of a request to an upstream, sent with its exact length if that is known."""

import asyncio
import select
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Final, NoReturn

from aiohttp import ClientConnectionError
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from providers.body import Body, TruncatedBody
from providers.deadlines import Wait
from providers.timed_waits import TimedWaits

SLICE_BYTES: Final = 64 << 10


async def _slices(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), SLICE_BYTES):
        yield data[start : start + SLICE_BYTES]


def _input_check(writer: AbstractStreamWriter) -> Callable[[], bool]:
    """A check whether the upstream has sent something that the loop has not read yet."""
    transport = writer.transport
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None or sock.fileno() < 0:
        return lambda: False
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return lambda: bool(poll.poll(0))


class OutboundBody(Payload):
    """Streams a `Body`, once.

    `failure` is the error of the body's own source, which is not the upstream's fault. If a body is
    not sent to its end, the connection is aborted, so that the body never looks complete.
    """

    _autoclose = True

    def __init__(self, body: Body | bytes, stalled: Wait) -> None:
        """`stalled` is the longest time in which the upstream may read nothing."""
        super().__init__(body)
        self._size = len(body) if isinstance(body, bytes) else body.length
        self._source = _slices(body) if isinstance(body, bytes) else aiter(body.chunks)
        self.stalled: Final = stalled
        self._waits = TimedWaits()
        self._released = asyncio.Event()
        self._released.set()
        self.failure: BaseException | None = None

    async def wait_released(self) -> None:
        """Waits until the source is no longer read, so that another reader may continue it."""
        await self._released.wait()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002
        raise TypeError("a streamed body cannot be decoded")

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(
        self,
        writer: AbstractStreamWriter,
        content_length: int | None,  # noqa: ARG002 - that of the header, which is our own
    ) -> None:
        self._consumed = True  # tells aiohttp not to send it a second time
        self._released.clear()
        try:
            await self._send_all(writer)
        except BaseException:
            if writer.transport is not None:
                writer.transport.abort()
            raise
        finally:
            self._waits.stop()
            self._released.set()

    async def _send_all(self, writer: AbstractStreamWriter) -> None:
        try:
            await self._relay(writer)
            # Called here, since a reply hangs if aiohttp's own call of this fails.
            await writer.write_eof()
        finally:
            await self._close_source()

    async def _relay(self, writer: AbstractStreamWriter) -> None:
        upstream_replied = _input_check(writer)
        left = self._size
        while (chunk := await self._next()) is not None:
            if left is not None:
                left -= len(chunk)
                if left <= 0:
                    await self._expect_end(left)
            if upstream_replied():
                # An early response must be read before a failing write closes the connection
                # (streaming.md section 3): the loop reads it in its next iteration.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            with self._waits.within(self.stalled.seconds):
                await writer.write(chunk)
            del chunk  # as in providers/body.py
        if left:
            self._fail(TruncatedBody("the body ended before its declared length"))

    async def _expect_end(self, left: int) -> None:
        """Runs before the last byte is sent: a body that is too long must not look complete."""
        while left == 0 and (chunk := await self._next()) is not None:
            left -= len(chunk)
        if left < 0:
            self._fail(TruncatedBody("the body is longer than its declared length"))

    async def _next(self) -> bytes | None:
        try:
            return await anext(self._source, None)
        except asyncio.CancelledError as error:
            if _being_cancelled():
                raise
            self._fail(error)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> NoReturn:
        self.failure = error
        raise ClientConnectionError("the body of the request failed")

    async def _close_source(self) -> None:
        aclose = getattr(self._source, "aclose", None)
        if aclose is not None:
            with suppress(Exception):
                await aclose()


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
