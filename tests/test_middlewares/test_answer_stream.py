import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from middlewares import outcomes
from middlewares.answer_stream import start_stream
from middlewares.outcomes import StreamForm
from providers.body import Body, close
from providers.deadlines import NO_LIMIT, SERVER_TIMEOUT, CallLimits, Wait
from providers.errors import FerryError
from providers.resources import AnswerStream
from providers.status import Status

UNLIMITED = CallLimits(NO_LIMIT, NO_LIMIT)
OVERLOADED = FerryError(Status.UNAVAILABLE, "overloaded")


class Source:
    """Chunks that a test releases one by one."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | FerryError | None] = asyncio.Queue()
        self.ended = asyncio.Event()
        self.waits = asyncio.Event()
        self.closed = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            while (item := await self._next()) is not None:
                if isinstance(item, FerryError):
                    raise item
                yield item
        finally:
            self.ended.set()

    async def _next(self) -> bytes | FerryError | None:
        if self.queue.empty():
            self.waits.set()
        return await self.queue.get()

    async def close(self) -> None:
        self.closed = True

    def give(self, *items: bytes | FerryError | None) -> None:
        for item in items:
            self.queue.put_nowait(item)

    async def start(
        self,
        form: StreamForm = StreamForm.EVENTS,
        pause: float = 60,
        limits: CallLimits = UNLIMITED,
    ) -> Body:
        answer = AnswerStream(self.chunks(), "", self.close)
        return await start_stream(outcomes.Streamed(answer, form), _envelope, limits, pause)


def _envelope(error: FerryError) -> dict[str, Any]:
    return {"error": {"code": error.code}}


async def written(body: Body) -> bytes:
    return b"".join([chunk async for chunk in body.chunks])


@pytest.fixture
def source() -> Source:
    return Source()


async def test_events(source: Source) -> None:
    source.give(b'{"a":1}', b'{"b":2}', None)
    body = await source.start(StreamForm.EVENTS)
    assert await written(body) == b'data: {"a":1}\n\ndata: {"b":2}\n\n'


async def test_a_list(source: Source) -> None:
    source.give(b'{"a":1}', b'{"b":2}', None)
    assert await written(await source.start(StreamForm.LIST)) == b'[{"a":1},{"b":2}]'


async def test_an_empty_list(source: Source) -> None:
    source.give(None)
    assert await written(await source.start(StreamForm.LIST)) == b"[]"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (StreamForm.EVENTS, b'data: {"a":1}\n\ndata: {"error":{"code":503}}\n\n'),
        (StreamForm.LIST, b'[{"a":1},{"error":{"code":503}}]'),
    ],
)
async def test_an_error_in_the_middle_is_the_last_element(
    source: Source, form: StreamForm, expected: bytes
) -> None:
    source.give(b'{"a":1}', OVERLOADED)
    assert await written(await source.start(form)) == expected


async def test_an_error_before_the_first_chunk_is_raised(source: Source) -> None:
    source.give(OVERLOADED)
    with pytest.raises(FerryError) as failed:
        await source.start(StreamForm.EVENTS)
    assert failed.value is OVERLOADED
    assert source.closed


@pytest.mark.parametrize(
    ("form", "first", "second"),
    [
        (StreamForm.EVENTS, b"\n\n", b'data: {"a":1}\n\n'),
        (StreamForm.LIST, b"\n", b'[{"a":1}'),
    ],
)
async def test_silence_is_filled(
    source: Source, form: StreamForm, first: bytes, second: bytes
) -> None:
    body = await source.start(form, pause=0.001)
    chunks = aiter(body.chunks)
    assert await anext(chunks) == first
    source.give(b'{"a":1}')
    rest = [await anext(chunks)]
    while rest[-1] == first:
        rest.append(await anext(chunks))
    assert rest[-1] == second
    await close(body)


async def test_an_error_after_silence_is_written(source: Source) -> None:
    body = await source.start(StreamForm.EVENTS, pause=0.001)
    source.give(OVERLOADED)
    assert (await written(body)).strip() == b'data: {"error":{"code":503}}'


async def test_who_leaves_ends_the_providers_stream(source: Source) -> None:
    source.give(b'{"a":1}')
    body = await source.start(StreamForm.EVENTS)
    await anext(aiter(body.chunks))
    await close(body)
    assert source.ended.is_set()


async def test_who_leaves_while_nothing_comes_ends_it_too(source: Source) -> None:
    source.give(b'{"a":1}')
    body = await source.start(StreamForm.EVENTS)
    reading = asyncio.create_task(written(body))
    await source.waits.wait()
    reading.cancel()
    await asyncio.wait({reading})
    await close(body)
    assert source.ended.is_set()


# --- the client's time ---------------------------------------------------------------------------


def ending_in(seconds: float) -> CallLimits:
    whole = Wait(seconds, SERVER_TIMEOUT)
    return CallLimits(NO_LIMIT, NO_LIMIT, whole=whole, ends=time.monotonic() + seconds)


async def test_a_stream_that_has_not_begun_in_time_is_an_error(source: Source) -> None:
    with pytest.raises(FerryError) as failed:
        await source.start(limits=ending_in(0.01))
    assert failed.value.status is Status.DEADLINE_EXCEEDED
    assert source.ended.is_set()
    assert source.closed


async def test_silence_to_the_end_of_the_clients_time_is_an_error_event(source: Source) -> None:
    source.give(b'{"a":1}')
    body = await source.start(limits=ending_in(0.05))
    assert await written(body) == b'data: {"a":1}\n\ndata: {"error":{"code":504}}\n\n'
    assert source.ended.is_set()


async def test_a_stream_that_drips_ends_with_the_clients_time(source: Source) -> None:
    """No part of it is late."""
    source.give(b'{"a":1}')
    limits = ending_in(60)
    body = await source.start(limits=limits)
    chunks = aiter(body.chunks)
    for _ in range(2):
        assert await anext(chunks) == b'data: {"a":1}\n\n'
        source.give(b'{"a":1}')
    object.__setattr__(limits, "ends", time.monotonic())
    assert b"".join([chunk async for chunk in chunks]) == b'data: {"error":{"code":504}}\n\n'
    assert source.ended.is_set()
