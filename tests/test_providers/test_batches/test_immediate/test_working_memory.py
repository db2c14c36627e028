import asyncio

import pytest

from providers.batches.immediate.working_memory import SHARE_BYTES, MemoryShare, WorkingMemory
from providers.errors import FerryError
from providers.memory import BUDGET_BYTES, MemoryBudget
from tests.test_providers.test_batches.test_immediate.stage import FakeClock, settle


def whole(budget: MemoryBudget) -> bool:
    with budget.reserve(budget.size):
        return True


async def test_a_room_is_given_back_with_its_last_holder(clock: FakeClock) -> None:
    budget = MemoryBudget(100)
    share = await WorkingMemory(budget).take(60, clock.wait)
    share.retain()
    share.release()
    with pytest.raises(FerryError):
        budget.take(41)
    share.grow_if_possible(10)
    share.grow_if_possible(1000)
    with pytest.raises(FerryError):
        budget.take(31)
    share.release()
    assert whole(budget)


async def test_requests_keep_what_is_beyond_the_share(clock: FakeClock) -> None:
    budget = MemoryBudget()
    memory = WorkingMemory(budget)
    shares = [await memory.take(SHARE_BYTES // 4, clock.wait) for _ in range(4)]
    more = asyncio.create_task(memory.take(1, clock.wait))
    await clock.pass_time(10)
    assert not more.done()
    with budget.reserve(BUDGET_BYTES - SHARE_BYTES):
        pass
    shares.pop().release()
    await clock.pass_time(1)
    for share in [*shares, await more]:
        share.release()
    assert whole(budget)


async def test_one_piece_alone_may_be_larger(clock: FakeClock) -> None:
    memory = WorkingMemory(MemoryBudget())
    share = await memory.take(2 * SHARE_BYTES, clock.wait)
    share.release()


async def test_who_waits_holds_nothing_and_is_served_in_turn(clock: FakeClock) -> None:
    budget = MemoryBudget(100)
    memory = WorkingMemory(budget)
    first = await memory.take(80, clock.wait)
    served: list[int] = []

    async def take(size: int) -> MemoryShare:
        share = await memory.take(size, clock.wait)
        served.append(size)
        return share

    tasks = [asyncio.create_task(take(size)) for size in (90, 10)]
    await clock.pass_time(5)
    # The small one would fit, and the large one would starve if it went first.
    assert served == []
    with budget.reserve(20):
        pass
    first.release()
    await clock.pass_time(5)
    assert served == [90, 10]
    for task in tasks:
        (await task).release()
    assert whole(budget)


async def test_who_no_longer_waits_gives_its_turn_up(clock: FakeClock) -> None:
    memory = WorkingMemory(MemoryBudget(100))
    first = await memory.take(80, clock.wait)
    waiting = asyncio.create_task(memory.take(90, clock.wait))
    await settle()
    behind = asyncio.create_task(memory.take(10, clock.wait))
    await settle()
    waiting.cancel()
    await clock.pass_time(1)
    (await behind).release()
    first.release()
