"""What has arrived of a model's stream, and its silences.

One task reads the whole stream, and one timer watches for silence: a task and a timer for each
chunk took longer than its translation. Chunks that arrived together are taken together.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Final

from providers.deadlines import CallLimits
from providers.timed_waits import TimedWaits

AHEAD: Final = 64 << 10
"""Bytes. The stream is not read further while so much has not been taken."""


async def arrivals(
    chunks: AsyncGenerator[bytes, None], pause: float, limits: CallLimits
) -> AsyncGenerator[list[bytes], None]:
    """The chunks that have arrived; none of them after every `pause` seconds of silence.

    Raises the error of `limits` when the time of the call is over. Closes `chunks`.
    """
    reader = _Reader(chunks)
    reading = asyncio.create_task(reader.read())
    reading.add_done_callback(reader.wake)
    try:
        while True:
            left = limits.seconds_left()
            if left <= 0:
                raise limits.exceeded()
            if not reader.arrived and not reading.done():
                await reader.wait(min(pause, left))
            if reader.arrived:
                yield reader.take()
            elif reading.done():
                reading.result()  # raises what ended the stream
                return
            elif left > pause:
                yield []
    finally:
        reading.cancel()
        reader.waits.stop()
        await asyncio.wait({reading})
        if not reading.cancelled():
            reading.exception()  # an error that is not looked at would be logged


class _Reader:
    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        self._chunks = chunks
        self._loop = asyncio.get_running_loop()
        self._size = 0
        self._taken: asyncio.Future[None] | None = None
        self._woken: asyncio.Future[None] | None = None
        self.waits = TimedWaits()
        self.arrived: list[bytes] = []

    async def read(self) -> None:
        """Also closes the stream: its consumer may be cancelled before it starts."""
        async with aclosing(self._chunks):
            async for chunk in self._chunks:
                self.arrived.append(chunk)
                self._size += len(chunk)
                self.wake()
                if self._size >= AHEAD:
                    self._taken = self._loop.create_future()
                    await self._taken

    def take(self) -> list[bytes]:
        chunks, self.arrived, self._size = self.arrived, [], 0
        if self._taken is not None and not self._taken.done():
            self._taken.set_result(None)
        return chunks

    async def wait(self, seconds: float) -> None:
        """Until something has arrived, or for so long."""
        self._woken = self._loop.create_future()
        with suppress(TimeoutError), self.waits.within(seconds):
            await self._woken

    def wake(self, _ended: object = None) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)
