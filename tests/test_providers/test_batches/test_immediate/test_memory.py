import asyncio
from contextlib import AsyncExitStack

import pytest

from providers.batches.immediate.memory import (
    ANSWER_BYTES,
    CALLS_OF_A_JOB,
    SHARE_BYTES,
    WorkingMemory,
    grow_if_possible,
    working_bytes,
)
from providers.errors import FerryError
from providers.memory import BUDGET_BYTES, MemoryBudget
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock, settle


def whole(budget: MemoryBudget) -> bool:
    with budget.reserve(budget.size):
        return True


def test_answers_in_memory_are_bounded() -> None:
    assert working_bytes(0, 3) == 3 * ANSWER_BYTES
    assert working_bytes(10, 100) == 40 + (CALLS_OF_A_JOB + 1) * ANSWER_BYTES


async def test_it_is_given_back_with_its_growth(clock: FakeClock) -> None:
    budget = MemoryBudget(100)
    async with WorkingMemory(budget).take(60, clock.wait) as share:
        with pytest.raises(FerryError):
            budget.take(41)
        grow_if_possible(share, -5)
        grow_if_possible(share, 10)
        grow_if_possible(share, 1000)
        with pytest.raises(FerryError):
            budget.take(31)
    assert whole(budget)


async def test_requests_keep_their_reservation_beyond_the_share(clock: FakeClock) -> None:
    budget = MemoryBudget()
    memory = WorkingMemory(budget)
    async with AsyncExitStack() as last:
        async with AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(memory.take(SHARE_BYTES // 4, clock.wait))
            await last.enter_async_context(memory.take(SHARE_BYTES // 4, clock.wait))
            more = asyncio.create_task(last.enter_async_context(memory.take(1, clock.wait)))
            await clock.pass_time(10)
            assert not more.done()
            with budget.reserve(BUDGET_BYTES - SHARE_BYTES):
                pass
        await clock.pass_time(1)
        await more
    assert whole(budget)


async def test_a_single_piece_may_be_larger(clock: FakeClock) -> None:
    async with WorkingMemory(MemoryBudget()).take(2 * SHARE_BYTES, clock.wait):
        pass


async def test_waiting_requests_hold_no_memory_and_are_served_in_order(clock: FakeClock) -> None:
    budget = MemoryBudget(100)
    memory = WorkingMemory(budget)
    served: list[int] = []

    async def take(size: int) -> None:
        async with memory.take(size, clock.wait):
            served.append(size)

    async with memory.take(80, clock.wait):
        tasks = [asyncio.create_task(take(size)) for size in (90, 10)]
        await clock.pass_time(5)
        # The small one would fit, and the large one would starve if it went first.
        assert served == []
        with budget.reserve(20):
            pass
    await clock.pass_time(5)
    assert served == [90, 10]
    await asyncio.gather(*tasks)
    assert whole(budget)


async def test_a_cancelled_wait_gives_up_its_turn(clock: FakeClock) -> None:
    memory = WorkingMemory(MemoryBudget(100))
    served = asyncio.Event()

    async def take(size: int) -> None:
        async with memory.take(size, clock.wait):
            served.set()

    async with memory.take(80, clock.wait):
        waiting = asyncio.create_task(take(90))
        await settle()
        behind = asyncio.create_task(take(10))
        await settle()
        waiting.cancel()
        await clock.pass_time(1)
        assert served.is_set()
        await behind
