"""Owners that die, lose their lease, or are stopped."""

import logging
from datetime import UTC, datetime

import orjson
import pytest

from providers.batches.immediate.creation import SEGMENT_BYTES
from providers.batches.immediate.heartbeats import LOOK_SECONDS
from providers.batches.immediate.leases import (
    LEASE_SECONDS,
    RENEWAL_SECONDS,
    LeaseRecord,
)
from providers.resources import BatchState, Counts
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
    blocked,
    new_job,
    objects,
    recorded,
    refusal,
)

# --- death and take-over ---------------------------------------------------------------------


async def test_a_recorded_result_is_never_fetched_again(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = Replica(state, clock, OneByOne(set(range(20, 30))))
    await owner.create(40)
    await settle()
    await owner.die()
    kept = recorded(state)
    assert kept == set(range(16))
    assert set(owner.call.made) == set(range(28))
    heir = Replica(state, clock)
    await heir.get()
    await clock.pass_time(TAKEN_OVER)
    await heir.background.idle()
    assert sorted(heir.call.made) == sorted(set(range(40)) - kept)
    assert (await heir.get()).counts == Counts(40, 40, 0)
    assert [line["response"] for line in await heir.lines()] == [{"n": n} for n in range(40)]


async def test_a_call_in_flight_is_repeated_at_most_once(
    state: MemoryState, clock: FakeClock
) -> None:
    replicas = []
    for _ in range(3):
        replica = Replica(state, clock)
        replica.call.open.clear()
        replicas.append(replica)
    first, second, third = replicas
    await first.create(2)
    for replica in (first, second):
        await replica.get()
        await clock.pass_time(TAKEN_OVER)
        assert sorted(replica.call.made) == [0, 1]
        await replica.die()
    await third.get()
    await clock.pass_time(TAKEN_OVER)
    await third.background.idle()
    assert third.call.made == []
    batch = await third.get()
    assert (batch.state, batch.counts) == (BatchState.SUCCEEDED, Counts(2, 0, 2))
    for line in await third.lines():
        error = line["error"]
        assert isinstance(error, dict)
        assert error["code"] == 500
        assert "outcome of this request is unknown" in error["message"]


async def test_no_job_is_taken_over_from_a_live_owner(state: MemoryState, clock: FakeClock) -> None:
    owner = await blocked(state, clock, 2)
    other = Replica(state, clock)
    await other.get()
    await clock.pass_time(10 * LEASE_SECONDS)
    assert other.call.made == []
    owner.call.open.set()
    await owner.background.idle()
    await clock.pass_time(1.2 * LOOK_SECONDS)
    await other.background.idle()
    assert other.call.made == []


async def test_an_owner_cut_off_from_the_store_stops_before_it_can_be_replaced(
    state: MemoryState, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    owner = await blocked(state, clock, 2)
    heir = Replica(state, clock)
    await heir.get()
    owner.state.away = True
    await clock.pass_time(LEASE_SECONDS - 1)
    assert (owner.call.at_once, owner.background.tasks) == (0, {})
    assert heir.call.made == []
    owner.state.away = False
    await clock.pass_time(TAKEN_OVER)
    await heir.background.idle()
    assert sorted(heir.call.made) == [0, 1]
    assert owner.background.failures == []
    assert objects(state, "results") == {}
    assert "OSError" in caplog.text


async def test_a_store_unavailable_for_a_moment_costs_nothing(
    state: MemoryState, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    owner = await blocked(state, clock, 1)
    owner.state.away = True
    owner.call.open.set()
    await clock.pass_time(RENEWAL_SECONDS + 2)
    assert objects(state, "results") == {}
    owner.state.away = False
    await clock.pass_time(RENEWAL_SECONDS)
    await owner.background.idle()
    assert owner.call.made == [0]
    assert (await owner.get()).counts == Counts(1, 1, 0)


async def test_a_lease_taken_by_another_stops_the_owner(
    state: MemoryState, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    owner = await blocked(state, clock, 2)
    [newest] = objects(state, "claims")
    [path] = [name for name in state.objects if name.endswith(newest)]
    thief = {**orjson.loads(state.objects[path]), "epoch": 2, "owner": "thief"}
    leases = path.rpartition("/")[0]
    assert await write(state, f"{leases}/{int(newest) - 1}", orjson.dumps(thief))
    await clock.pass_time(RENEWAL_SECONDS)
    assert owner.background.tasks == {}
    assert owner.call.at_once == 0
    assert objects(state, "results") == {}
    assert len(objects(state, "claims")) == 2
    assert "was lost" in caplog.text


ANOTHERS_LEASE = LeaseRecord(2, "another", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("last", "name", "data"),
    [
        pytest.param(16, "calls/0000000016-1-1", b"another", id="the next segment"),
        pytest.param(8, "claims/99999997", orjson.dumps(ANOTHERS_LEASE), id="this segment"),
    ],
)
async def test_a_call_that_another_owner_may_start_is_not_made(
    state: MemoryState, clock: FakeClock, last: int, name: str, data: bytes
) -> None:
    """An owner that slept through its lease, whatever its clock says."""
    owner = await blocked(state, clock, last + 1)
    [work] = {name.rpartition("/calls/")[0] for name in state.objects if "/calls/" in name}
    assert await write(state, f"{work}/{name}", data)
    owner.call.open.set()
    await owner.background.idle()
    assert last not in owner.call.made
    assert not [name for name in state.objects if name.startswith("immediate-ended/")]
    assert not [c for c in objects(state, "claims").values() if orjson.loads(c)["over"]]


async def test_a_store_unavailable_between_calls_costs_nothing(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = await blocked(state, clock, 17)
    owner.state.last = "/calls/0000000016-"
    owner.call.open.set()
    await until(lambda: owner.state.away)
    await clock.pass_time(2)
    assert 16 not in owner.call.made
    owner.state.last, owner.state.away = None, False
    await clock.pass_time(RENEWAL_SECONDS)
    await owner.background.idle()
    assert sorted(owner.call.made) == list(range(17))
    assert owner.background.failures == []
    assert (await owner.get()).counts == Counts(17, 17, 0)


async def test_input_that_was_answered_is_not_read_again(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = Replica(state, clock, ScriptedAnswers({2: [refusal(Status.UNAUTHENTICATED, 403)]}))
    await owner.submit(new_job(3, padding=SEGMENT_BYTES))
    await owner.background.idle()
    assert list(objects(state, "input")) == [f"{n:010d}" for n in range(3)]
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()
    assert [name[-10:] for name in heir.state.read if "/input/" in name] == ["0000000002"]


async def test_progress_outlives_its_owner(state: MemoryState, clock: FakeClock) -> None:
    owner = Replica(state, clock, OneByOne({20}, {1: [refusal(Status.NOT_FOUND, 404)]}))
    await owner.create(30)
    await settle()
    await owner.die()
    other = Replica(state, clock)
    assert (await other.get()).counts == Counts(30, 15, 1)
    await other.background.stop()


# --- a graceful stop -------------------------------------------------------------------------


async def test_a_stopped_owner_releases_the_job(state: MemoryState, clock: FakeClock) -> None:
    owner = await blocked(state, clock, 3)
    await owner.background.stop()
    # The provider may still be processing them.
    assert list(objects(state, "calls")) == ["0000000000-3-1"]
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()  # no time has passed
    assert sorted(heir.call.made) == [0, 1, 2]
    assert (await heir.get()).counts == Counts(3, 3, 0)
    assert (await heir.get()).start_time == clock.now()


async def test_a_stop_between_two_attempts_uses_up_no_call(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = Replica(state, clock, ScriptedAnswers({0: [refusal(Status.RESOURCE_EXHAUSTED, 429)]}))
    await owner.create(1)
    await until(lambda: owner.call.made == [0])
    await settle()
    await owner.background.stop()
    assert objects(state, "calls") == {}


async def test_a_bug_leaves_the_job_to_others(state: MemoryState, clock: FakeClock) -> None:
    owner = Replica(state, clock, ScriptedAnswers({0: [ZeroDivisionError()]}))
    await owner.create(1)
    await owner.background.idle()
    assert len(owner.background.failures) == 1
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()
    assert (await heir.get()).counts == Counts(1, 1, 0)
