import asyncio
from contextlib import ExitStack

import pytest

from providers.batches.immediate.memory import (
    ANSWER_BYTES,
    CALLS_OF_A_JOB,
    SHARE_BYTES,
    WorkingMemory,
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
    memory = WorkingMemory(budget)
    with await memory.reserve(60, clock.wait) as held:
        with pytest.raises(FerryError):
            budget.take(41)
        memory.grow(held, -5)
        memory.grow(held, 10)
        for size in (1000, 31):
            with pytest.raises(FerryError):
                memory.grow(held, size)
        with pytest.raises(FerryError):
            budget.take(31)
    assert whole(budget)


async def test_requests_keep_their_reservation_beyond_the_share(clock: FakeClock) -> None:
    budget = MemoryBudget()
    memory = WorkingMemory(budget)
    with ExitStack() as last:
        with ExitStack() as stack:
            for each in (stack, stack, stack, last):
                each.enter_context(await memory.reserve(SHARE_BYTES // 4, clock.wait))
            more = asyncio.create_task(memory.reserve(1, clock.wait))
            await clock.pass_time(10)
            assert not more.done()
            with budget.reserve(BUDGET_BYTES - SHARE_BYTES):
                pass
        await clock.pass_time(1)
        (await more).close()
    assert whole(budget)


async def test_a_single_piece_may_be_larger(clock: FakeClock) -> None:
    with await WorkingMemory(MemoryBudget()).reserve(2 * SHARE_BYTES, clock.wait):
        pass


async def test_waiting_requests_hold_no_memory_and_are_served_in_order(clock: FakeClock) -> None:
    budget = MemoryBudget(100)
    memory = WorkingMemory(budget)
    served: list[int] = []

    async def take(size: int) -> None:
        with await memory.reserve(size, clock.wait):
            served.append(size)

    with await memory.reserve(80, clock.wait):
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
        with await memory.reserve(size, clock.wait):
            served.set()

    with await memory.reserve(80, clock.wait):
        waiting = asyncio.create_task(take(90))
        await settle()
        behind = asyncio.create_task(take(10))
        await settle()
        waiting.cancel()
        await clock.pass_time(1)
        assert served.is_set()
        await behind
