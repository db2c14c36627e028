"""The number of concurrent calls, and the memory for them."""

import orjson
import pytest

from providers.batches.immediate.job import job_id_of
from providers.errors import FerryError
from providers.memory import MemoryBudget
from providers.resources import Counts
from providers.status import Status
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock, settle, until
from tests.test_providers.test_batches.test_immediate.scripted_answers import ScriptedAnswers
from tests.test_providers.test_batches.test_immediate.stage import (
    CALLER,
    Replica,
    new_job,
    objects,
    refusal,
)
from tests.test_providers.test_batches.test_immediate.stores import Yielding


async def test_calls_are_made_a_few_at_once(state: MemoryState, clock: FakeClock) -> None:
    replica = Replica(state, clock)
    replica.call.open.clear()
    await replica.create(30)
    await settle()
    assert replica.call.at_once == 8
    replica.call.open.set()
    await replica.background.idle()
    assert replica.call.most_at_once == 8
    assert sorted(replica.call.made) == list(range(30))


async def test_all_jobs_of_a_process_share_a_bound(state: MemoryState, clock: FakeClock) -> None:
    replica = Replica(state, clock)
    replica.call.open.clear()
    for number in range(6):
        await replica.create(10, str(number))
    await settle()
    assert replica.call.at_once == 32
    replica.call.open.set()
    await replica.background.idle()
    assert len(replica.call.made) == 60


async def test_a_large_request_waits_for_memory(state: MemoryState, clock: FakeClock) -> None:
    memory = MemoryBudget(8 << 20)
    replica = Replica(state, clock, memory=memory)
    replica.call.open.clear()
    await replica.submit(new_job(6, padding=700_000))
    await settle()
    assert 0 < replica.call.at_once < 6
    replica.call.open.set()
    await clock.pass_time(10)
    await replica.background.idle()
    assert (await replica.get()).counts == Counts(6, 6, 0)
    memory.take(8 << 20)  # all of it was given back


async def test_it_waits_while_others_use_the_memory(state: MemoryState, clock: FakeClock) -> None:
    memory = MemoryBudget(8 << 20)
    replica = Replica(state, clock, memory=memory)
    await replica.create(2)
    with memory.reserve(8 << 20):
        await clock.pass_time(5)
        assert replica.call.made == []
    await clock.pass_time(5)
    await replica.background.idle()
    assert sorted(replica.call.made) == [0, 1]


async def test_a_larger_answer_is_still_recorded(state: MemoryState, clock: FakeClock) -> None:
    answer = orjson.dumps({"text": "x" * (3 << 20)})
    replica = Replica(state, clock, ScriptedAnswers({0: [answer]}), MemoryBudget(2 << 20))
    await replica.create(1)
    await replica.background.idle()
    [output] = objects(state, "output").values()
    assert orjson.loads(output)["response"] == orjson.loads(answer)


async def test_a_larger_answer_is_counted_while_it_is_in_memory(
    state: MemoryState, clock: FakeClock
) -> None:
    memory = MemoryBudget(8 << 20)
    answer = orjson.dumps({"text": "x" * (3 << 20)})
    replica = Replica(state, clock, ScriptedAnswers({0: [answer]}), memory)
    replica.state.last = "/results/"
    await replica.create(1)
    await until(lambda: replica.state.away)
    with pytest.raises(FerryError):
        memory.take(6 << 20)
    replica.state.last, replica.state.away = None, False
    await clock.pass_time(5)
    await replica.background.idle()
    memory.take(8 << 20)


@pytest.mark.parametrize(("jobs", "padding"), [(4, 950_000), (8, 450_000)])
async def test_jobs_that_continue_together_do_not_deadlock(
    clock: FakeClock, jobs: int, padding: int
) -> None:
    state = Yielding()
    first = Replica(state, clock)
    first.call.open.clear()
    for number in range(jobs):
        await first.submit(new_job(2, padding), str(number))
    await settle()
    await first.background.stop()
    memory = MemoryBudget(8 << 20)
    second = Replica(state, clock, memory=memory)
    for number in range(jobs):
        await second.get(CALLER, job_id_of(str(number)))
    await clock.pass_time(120)
    await second.background.idle()
    assert sorted(second.call.made) == sorted([0, 1] * jobs)
    memory.take(8 << 20)


async def test_a_throttled_record_leaves_its_slot_to_others(
    state: MemoryState, clock: FakeClock
) -> None:
    throttled = [refusal(Status.RESOURCE_EXHAUSTED, 429)]
    replica = Replica(state, clock, ScriptedAnswers(dict.fromkeys(range(8), throttled * 4)))
    for number in range(4):
        await replica.create(8, str(number))
    await until(lambda: len(replica.call.made) == 32)
    await settle()
    assert replica.call.at_once == 0
    replica.call.open.clear()
    await replica.submit(new_job(9, first=8))
    await until(lambda: replica.call.at_once == 8)
    await replica.background.stop()
