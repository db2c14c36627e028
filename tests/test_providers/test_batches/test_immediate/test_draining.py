"""A process that drains: calls in flight cost money, and must not be paid twice."""

import asyncio

from providers.resources import BatchState, Counts
from providers.status import Status
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock, settle, until
from tests.test_providers.test_batches.test_immediate.scripted_answers import ScriptedAnswers
from tests.test_providers.test_batches.test_immediate.stage import (
    CALLER,
    JOB_ID,
    Replica,
    blocked,
    objects,
    refusal,
)


async def test_calls_in_flight_end_and_no_other_starts(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = await blocked(state, clock, 20)
    draining = asyncio.create_task(owner.background.drain())
    await settle()
    assert not draining.done()
    owner.call.open.set()
    await draining
    assert sorted(owner.call.made) == list(range(8))
    assert len(objects(state, "results")) == 8
    await owner.background.stop()
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()  # no time has passed
    assert sorted(heir.call.made) == list(range(8, 20))
    assert (await heir.get()).counts == Counts(20, 20, 0)


async def test_a_job_whose_last_calls_were_in_flight_ends(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = await blocked(state, clock, 3)
    draining = asyncio.create_task(owner.background.drain())
    await settle()
    owner.call.open.set()
    await draining
    assert (await owner.get()).state is BatchState.SUCCEEDED


async def test_a_drain_does_not_wait_for_retry_delays(state: MemoryState, clock: FakeClock) -> None:
    owner = Replica(state, clock, ScriptedAnswers({0: [refusal(Status.RESOURCE_EXHAUSTED, 429)]}))
    await owner.create(1)
    await until(lambda: owner.call.made == [0])
    await settle()
    await owner.background.drain()
    assert objects(state, "calls") == {}
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()
    assert (await heir.get()).counts == Counts(1, 1, 0)


async def test_a_call_that_outlives_the_drain_may_be_repeated_once(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = await blocked(state, clock, 1)
    draining = asyncio.create_task(owner.background.drain())
    await settle()
    draining.cancel()
    await owner.background.stop()
    assert list(objects(state, "calls")) == ["0000000000-1-1"]
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()
    assert heir.call.made == [0]


async def test_a_job_created_meanwhile_is_left_to_others(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = Replica(state, clock)
    await owner.background.drain()
    assert (await owner.create(1)).state is BatchState.PENDING
    await owner.get(CALLER, JOB_ID)
    await settle()
    assert (owner.call.made, owner.background.tasks) == ([], {})


async def test_a_lease_obtained_meanwhile_is_released(state: MemoryState, clock: FakeClock) -> None:
    owner = await blocked(state, clock, 1)
    waiting = Replica(state, clock)
    await waiting.get()
    await settle()
    await waiting.background.drain()
    await owner.background.stop()
    await clock.pass_time(20)
    assert (waiting.call.made, waiting.background.tasks) == ([], {})
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()
    assert heir.call.made == [0]


async def test_a_drain_does_not_wait_for_failed_calls(state: MemoryState, clock: FakeClock) -> None:
    """The lease cannot be released while the store is unavailable."""
    owner = await blocked(state, clock, 1)
    draining = asyncio.create_task(owner.background.drain())
    await settle()
    owner.state.away = True
    owner.call.open.set()
    await clock.pass_time(60)
    await draining
    assert owner.background.tasks == {}
