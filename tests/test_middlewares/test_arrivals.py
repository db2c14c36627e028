import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from middlewares.arrivals import AHEAD, arrivals
from providers.deadlines import NO_LIMIT, CallLimits
from providers.errors import FerryError
from providers.status import Status

UNLIMITED = CallLimits(NO_LIMIT, NO_LIMIT)
OVERLOADED = FerryError(Status.UNAVAILABLE, "overloaded")


class Stream:
    """Chunks in groups; the next group arrives when `more` is called."""

    def __init__(self, *groups: list[bytes]) -> None:
        self._groups = groups
        self._waits = asyncio.Semaphore(0)
        self.read = 0
        self.error: FerryError | None = None
        self.closed = asyncio.Event()

    def more(self) -> None:
        self._waits.release()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            for group in self._groups:
                await self._waits.acquire()
                for chunk in group:
                    self.read += 1
                    yield chunk
            if self.error is not None:
                raise self.error
        finally:
            self.closed.set()


async def test_what_arrived_together_is_taken_together() -> None:
    stream = Stream([b"a", b"b"], [b"c"])
    async with aclosing(arrivals(stream.chunks(), 60, UNLIMITED)) as taken:
        stream.more()
        assert await anext(taken) == [b"a", b"b"]
        stream.more()
        assert [batch async for batch in taken] == [[b"c"]]


async def test_the_stream_is_read_no_further_than_needed() -> None:
    part = bytes(AHEAD // 2)
    stream = Stream([part] * 9)
    stream.more()
    async with aclosing(arrivals(stream.chunks(), 60, UNLIMITED)) as taken:
        assert await anext(taken) == [part] * 2
        assert stream.read == 2
        assert await anext(taken) == [part] * 2
        assert stream.read == 4


async def test_what_came_before_an_error_is_taken_first() -> None:
    stream = Stream([b"a"])
    stream.error = OVERLOADED
    stream.more()
    async with aclosing(arrivals(stream.chunks(), 60, UNLIMITED)) as taken:
        assert await anext(taken) == [b"a"]
        with pytest.raises(FerryError) as failed:
            await anext(taken)
    assert failed.value is OVERLOADED


async def test_silence_begins_again_with_each_chunk() -> None:
    stream = Stream([b"a"], [b"b"])
    async with aclosing(arrivals(stream.chunks(), 0.02, UNLIMITED)) as taken:
        assert await anext(taken) == []
        stream.more()
        while (batch := await anext(taken)) == []:
            pass
        assert batch == [b"a"]
        assert await anext(taken) == []


async def test_an_error_that_is_not_looked_at_is_not_logged() -> None:
    logged: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: logged.append(context))
    stream = Stream([b"a"])
    stream.error = OVERLOADED
    stream.more()
    taken = arrivals(stream.chunks(), 60, UNLIMITED)
    assert await anext(taken) == [b"a"]
    await stream.closed.wait()
    await taken.aclose()
    del taken, stream
    assert logged == []


async def test_who_stops_taking_closes_the_stream() -> None:
    stream = Stream([b"a"], [b"b"])
    stream.more()
    taken = arrivals(stream.chunks(), 60, UNLIMITED)
    assert await anext(taken) == [b"a"]
    await taken.aclose()
    assert stream.closed.is_set()
