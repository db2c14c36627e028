"""What a run stores: objects for segments of records, early enough that a crash costs little."""

import asyncio

import orjson
import pytest

from providers.batches.immediate.creation import SEGMENT_RECORDS
from providers.batches.immediate.memory import ANSWER_BYTES
from providers.batches.immediate.runner import RECORD_SECONDS
from providers.resources import Counts
from providers.state import write
from providers.status import Status
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock, settle, until
from tests.test_providers.test_batches.test_immediate.scripted_answers import (
    OneByOne,
    ScriptedAnswers,
)
from tests.test_providers.test_batches.test_immediate.stage import (
    TAKEN_OVER,
    Replica,
    input_line,
    objects,
    recorded,
    refusal,
)

THROTTLED = refusal(Status.RESOURCE_EXHAUSTED, 429)


async def with_one_held(
    state: MemoryState, clock: FakeClock, count: int, held: int = 3
) -> tuple[Replica, OneByOne]:
    """An owner whose records have all been answered, except one."""
    call = OneByOne({held})
    owner = Replica(state, clock, call)
    await owner.create(count)
    await until(lambda: len(call.made) == count)
    await settle()
    return owner, call


async def test_a_segment_is_one_started_marker_and_one_object_of_results(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = Replica(state, clock)
    replica.state.last = "/output/"
    await replica.create(2 * SEGMENT_RECORDS + 1)
    await until(lambda: replica.state.away)
    assert list(objects(state, "calls")) == [
        "0000000000-16-1",
        "0000000016-16-1",
        "0000000032-1-1",
    ]
    assert list(objects(state, "results")) == [
        "0000000000-16-0",
        "0000000016-16-0",
        "0000000032-1-0",
    ]
    await replica.die()


async def test_answers_wait_for_their_segment_but_not_for_long(
    state: MemoryState, clock: FakeClock
) -> None:
    owner, call = await with_one_held(state, clock, 8)
    assert recorded(state) == set()
    await clock.pass_time(RECORD_SECONDS)
    assert list(objects(state, "results")) == ["0000000000-3-0", "0000000004-4-0"]
    assert (await owner.get()).counts == Counts(8, 7, 0)
    call.release(3)
    await owner.background.idle()
    assert (await owner.get()).counts == Counts(8, 8, 0)
    assert [line["response"] for line in await owner.lines()] == [{"n": n} for n in range(8)]


async def test_a_crash_loses_only_the_latest_answers(state: MemoryState, clock: FakeClock) -> None:
    owner, _ = await with_one_held(state, clock, 8)
    await clock.pass_time(RECORD_SECONDS)
    await owner.die()
    heir = Replica(state, clock)
    await heir.get()
    await clock.pass_time(TAKEN_OVER)
    await heir.background.idle()
    assert heir.call.made == [3]
    assert (await heir.get()).counts == Counts(8, 8, 0)


async def test_a_drain_records_answers_at_once(state: MemoryState, clock: FakeClock) -> None:
    """The time for draining may end before the last call does."""
    call = OneByOne({3, 5})
    owner = Replica(state, clock, call)
    await owner.create(8)
    await until(lambda: len(call.made) == 8)
    await settle()
    draining = asyncio.create_task(owner.background.drain())
    await settle()
    assert recorded(state) == set(range(8)) - {3, 5}
    call.release(5)
    await settle()
    assert recorded(state) == set(range(8)) - {3}
    draining.cancel()
    await owner.background.stop()
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()
    assert heir.call.made == [3]


async def test_large_answers_are_recorded_at_once(state: MemoryState, clock: FakeClock) -> None:
    call = OneByOne({3}, {5: [orjson.dumps({"text": "x" * ANSWER_BYTES})]})
    owner = Replica(state, clock, call)
    await owner.create(8)
    await until(lambda: len(call.made) == 8)
    await settle()
    assert 5 in recorded(state)
    call.release(3)
    await owner.background.idle()
    assert (await owner.get()).counts == Counts(8, 8, 0)


@pytest.mark.parametrize("throttled", [[0, 1], [0]], ids=["both", "one of them"])
async def test_a_stop_removes_the_started_marker_of_calls_that_did_not_start(
    state: MemoryState, clock: FakeClock, throttled: list[int]
) -> None:
    """Only a crash costs records an attempt."""
    owner = Replica(state, clock, ScriptedAnswers({n: [THROTTLED] for n in throttled}))
    await owner.create(2)
    await until(lambda: len(owner.call.made) == 2)
    await settle()
    assert list(objects(state, "calls")) == ["0000000000-2-1"]
    await owner.background.drain()
    assert objects(state, "calls") == {}
    assert recorded(state) == {0, 1} - set(throttled)
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()
    assert sorted(heir.call.made) == throttled
    assert (await heir.get()).counts == Counts(2, 2, 0)


async def test_a_started_marker_stays_for_a_call_that_may_have_started(
    state: MemoryState, clock: FakeClock
) -> None:
    silent = refusal(Status.DEADLINE_EXCEEDED, 504)
    owner = Replica(state, clock, ScriptedAnswers({0: [THROTTLED], 1: [silent]}))
    await owner.create(2)
    await until(lambda: len(owner.call.made) == 2)
    await settle()
    await owner.background.drain()
    assert list(objects(state, "calls")) == ["0000000000-2-1"]
    heir = Replica(state, clock, ScriptedAnswers({0: [THROTTLED], 1: [silent]}))
    await heir.get()
    await clock.pass_time(10)
    await heir.background.idle()
    # The segment has one attempt left, in which a throttled call is retried like any other.
    assert list(objects(state, "calls")) == ["0000000000-2-1", "0000000000-2-2"]
    assert heir.call.begun == {0: 1, 1: 1}
    assert (await heir.get()).counts == Counts(2, 1, 1)


# --- jobs of earlier versions ----------------------------------------------------------------


@pytest.mark.parametrize("cut", [40, 7])
async def test_a_job_of_an_earlier_version_continues(
    state: MemoryState, clock: FakeClock, cut: int
) -> None:
    """It had segments of any size, and one started marker and one result for each record."""
    maker = Replica(state, clock)
    maker.call.open.clear()
    await maker.create(40)
    await until(lambda: maker.call.at_once == 8)
    await maker.die()
    [work] = {name.partition("/input/")[0] for name in state.objects if "/input/" in name}
    for name in state.objects:
        if name.startswith(work):
            await state.delete(name)
    for first in range(0, 40, cut):
        lines = map(input_line, range(first, min(40, first + cut)))
        await write(state, f"{work}/input/{first:010d}", b"\n".join(lines))
    for number in (0, 1, 2, 5):
        await write(state, f"{work}/calls/{number:010d}-1", b"old")
    await write(state, f"{work}/calls/0000000005-2", b"old")
    for number in (0, 2):
        result = orjson.dumps({"custom_id": f"r{number:010d}", "response": {"old": number}})
        await write(state, f"{work}/results/{number:010d}", result + b"\n")
    heir = Replica(state, clock, ScriptedAnswers({1: [refusal(Status.DEADLINE_EXCEEDED, 504)]}))
    await heir.get()
    await heir.background.idle()
    assert sorted(heir.call.made) == [1, 3, 4, *range(6, 40)]
    ended = await heir.get()
    assert ended.counts == Counts(40, 38, 2)
    failed = [line["custom_id"] for line in await heir.lines() if "error" in line]
    assert failed == ["r0000000001", "r0000000005"]
    assert [line["response"] for line in (await heir.lines())[2:4]] == [{"old": 2}, {"n": 3}]
