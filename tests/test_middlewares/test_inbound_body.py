"""How fast a client must send its body."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from aiohttp import StreamReader, web

from middlewares.inbound_body import ClientTooSlow, inbound_body
from middlewares.observation import Observation
from middlewares.request_keys import GATEWAY, OBSERVATION
from providers.body import Body
from providers.deadlines import DEFAULT_LIMITS
from tests.loop_timers import LoopTimers


@dataclass
class Clock:
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("middlewares.inbound_body.time", clock)
    return clock


class Client:
    """Sends each of `chunks` after so many seconds."""

    def __init__(self, clock: Clock, chunks: Iterator[tuple[float, bytes]]) -> None:
        self._clock = clock
        self._chunks = chunks

    async def readany(self) -> bytes:
        await asyncio.sleep(0)  # lets a deadline end the wait
        seconds, chunk = next(self._chunks, (0, b""))
        self._clock.now += seconds
        return chunk


def body_from(clock: Clock, *chunks: tuple[float, bytes]) -> Body:
    request: dict[Any, Any] = {OBSERVATION: Observation()}
    stub = _Request(request)
    stub.content = Client(clock, iter(chunks))
    stub.app = {GATEWAY: SimpleNamespace(time_limits=DEFAULT_LIMITS)}
    return inbound_body(cast(web.Request, stub))


class _Request(dict[Any, Any]):
    body_exists = True
    content_length: int | None = None
    content: Client | StreamReader
    app: dict[Any, Any]


async def received(body: Body) -> int:
    return sum([len(chunk) async for chunk in body.chunks])


async def test_a_kibibyte_in_each_second_is_enough(clock: Clock) -> None:
    assert await received(body_from(clock, *[(1, b"x" * 1024)] * 600)) == 600 << 10


async def test_a_byte_a_second_ends_after_a_minute(clock: Clock) -> None:
    with pytest.raises(ClientTooSlow, match=r"1024 bytes in each second.*FERRY_STALL_SECONDS"):
        await received(body_from(clock, *[(1, b"x")] * 600))
    assert clock.now == 61


async def test_many_bytes_at_first_do_not_buy_a_longer_silence(clock: Clock) -> None:
    chunks = [(0.0, b"x" * 10_000_000), (59.0, b"x"), (59.0, b"x"), (0.0, b"x")]
    with pytest.raises(ClientTooSlow):
        await received(body_from(clock, *chunks))


async def test_a_slow_client_may_pause_if_it_sends_enough(clock: Clock) -> None:
    chunks = [(50.0, b"x" * 60_000)] * 10
    assert await received(body_from(clock, *chunks)) == 600_000


async def test_the_time_in_which_it_is_not_read_does_not_count(clock: Clock) -> None:
    seen = 0
    async for chunk in body_from(clock, *[(0.1, b"x" * 100)] * 600).chunks:
        clock.now += 3600  # the upstream is slow
        seen += len(chunk)
    assert seen == 60_000


async def test_a_body_with_a_length_is_not_joined() -> None:
    """What arrived in two reads would be in memory twice."""
    content = StreamReader(Mock(), 1 << 16, loop=asyncio.get_running_loop())
    stub = _Request({OBSERVATION: Observation()})
    stub.content_length = 6
    stub.content = content
    stub.app = {GATEWAY: SimpleNamespace(time_limits=DEFAULT_LIMITS)}
    for data in (b"abc", b"def"):
        content.feed_data(data)
    content.feed_eof()
    chunks = [chunk async for chunk in inbound_body(cast(web.Request, stub)).chunks]
    assert chunks == [b"abc", b"def"]


async def test_no_timer_is_left_after_the_last_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload in many small requests would leave one for each, for a minute."""
    content = StreamReader(Mock(), 1 << 16, loop=asyncio.get_running_loop())
    stub = _Request({OBSERVATION: Observation()})
    stub.content_length = 3
    stub.content = content
    stub.app = {GATEWAY: SimpleNamespace(time_limits=DEFAULT_LIMITS)}
    timers = LoopTimers(monkeypatch)
    content.feed_data(b"abc")
    assert await anext(aiter(inbound_body(cast(web.Request, stub)).chunks)) == b"abc"
    assert [timer.cancelled() for timer in timers.set] == [True]
