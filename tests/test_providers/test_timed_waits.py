import asyncio
from contextlib import suppress

import pytest

from providers.timed_waits import TimedWaits
from tests.loop_timers import LoopTimers

SHORT = 0.01
LONG = 1000.0


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def test_a_wait_that_is_too_long_ends() -> None:
    waits = TimedWaits()
    with pytest.raises(TimeoutError):
        with waits.within(SHORT):
            await forever()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.parametrize("seconds", [0.0, -1.0])
async def test_no_time_is_left_for_a_wait(seconds: float) -> None:
    waits = TimedWaits()
    with pytest.raises(TimeoutError):
        with waits.within(seconds):
            await asyncio.sleep(0)


async def test_what_waits_for_nothing_needs_no_time() -> None:
    with TimedWaits().within(0):
        pass


async def test_many_waits_need_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = TimedWaits()
    timers = LoopTimers(monkeypatch)
    for _ in range(100):
        with waits.within(LONG):
            await asyncio.sleep(0)
    assert len(timers.set) == 1
    waits.stop()
    assert timers.set[0].cancelled()


async def test_each_wait_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer of a longer wait before it is replaced, that of a shorter one is set again."""
    waits = TimedWaits()
    for seconds in (LONG, SHORT, SHORT):
        with suppress(TimeoutError):
            with waits.within(seconds):
                await asyncio.sleep(0)
    timers = LoopTimers(monkeypatch)
    with pytest.raises(TimeoutError):
        with waits.within(5 * SHORT):
            await forever()
    assert len(timers.set) == 1


async def test_between_waits_no_time_passes() -> None:
    waits = TimedWaits()
    with waits.within(SHORT):
        pass
    await asyncio.sleep(3 * SHORT)
    with waits.within(LONG):
        await asyncio.sleep(0)
    waits.stop()


async def test_an_error_of_the_wait_passes_through() -> None:
    with pytest.raises(LookupError):
        with TimedWaits().within(LONG):
            raise LookupError


async def test_a_cancellation_from_outside_is_no_timeout() -> None:
    waits = TimedWaits()
    waiting = asyncio.Event()

    async def wait() -> None:
        with waits.within(LONG):
            waiting.set()
            await forever()

    task = asyncio.create_task(wait())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    waits.stop()


async def test_a_cancellation_that_comes_with_the_timeout_wins() -> None:
    task = asyncio.current_task()
    assert task is not None
    waits = TimedWaits()

    async def wait() -> None:
        with waits.within(0):
            task.cancel()
            await forever()

    with pytest.raises(asyncio.CancelledError):
        await wait()
    task.uncancel()
