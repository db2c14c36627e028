"""How a run ends: with the job, or earlier without a valid credential."""

from dataclasses import replace

import pytest

from providers.batches.immediate.job import JobState
from providers.batches.immediate.jobs import DELAY_SECONDS
from providers.batches.immediate.stored import find_job
from providers.credential import Caller, Credential
from providers.errors import FerryError, invalid_argument, unauthenticated, unavailable
from providers.resources import BatchState, Counts
from providers.status import Status
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock, settle, until
from tests.test_providers.test_batches.test_immediate.scripted_answers import ScriptedAnswers
from tests.test_providers.test_batches.test_immediate.stage import (
    CALLER,
    JOB_ID,
    KEY,
    TAKEN_OVER,
    Replica,
    blocked,
    new_job,
    objects,
    recorded,
    refusal,
)

# --- a bad credential --------------------------------------------------------------------------


async def test_a_bad_credential_uses_up_no_record(state: MemoryState, clock: FakeClock) -> None:
    bad = [refusal(Status.UNAUTHENTICATED, 403)]
    replica = Replica(state, clock, ScriptedAnswers({n: list(bad) for n in range(30)}))
    replica.call.open.clear()
    await replica.create(30)
    await settle()
    replica.call.open.set()
    await replica.background.idle()
    assert sorted(replica.call.made) == list(range(8))
    assert objects(state, "calls") == objects(state, "results") == {}
    assert replica.background.failures == []

    good = Replica(state, clock)
    renewed = Caller(Credential("AKIA:new"), CALLER.tenant)
    assert (await good.get(renewed)).state is BatchState.RUNNING
    await good.background.idle()
    assert good.call.callers == [renewed] * 30
    assert (await good.get()).counts == Counts(30, 30, 0)


async def test_results_that_came_before_the_credential_expired_stay(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = Replica(state, clock, ScriptedAnswers({1: [refusal(Status.UNAUTHENTICATED)]}))
    await replica.create(3)
    await replica.background.idle()
    assert 0 in recorded(state)
    renewed = Caller(Credential("AKIA:new"), CALLER.tenant)
    assert (await replica.get(renewed)).state is BatchState.RUNNING
    await replica.background.idle()
    assert sorted(replica.call.made) == [0, 1, 1, 2]
    assert (await replica.get()).counts == Counts(3, 3, 0)


async def test_a_bad_credential_is_tried_once_a_minute_and_logged_once(
    state: MemoryState, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    bad = refusal(Status.UNAUTHENTICATED, 403, "ExpiredTokenException")
    replica = Replica(state, clock, ScriptedAnswers({n: [bad] * 9 for n in range(8)}))
    await replica.create(8)
    for _ in range(10):
        await replica.get()
        await replica.background.idle()
    tried = len(replica.call.made)
    assert 0 < tried <= 8
    said = [record.getMessage() for record in caplog.records]
    assert said == ["an immediate batch waits because no call can be made: ExpiredTokenException"]
    await clock.pass_time(DELAY_SECONDS)
    await replica.get()
    await replica.background.idle()
    assert tried < len(replica.call.made) <= 2 * tried


@pytest.mark.parametrize(
    "error",
    [
        unavailable("the proxy has no AWS credentials of its own"),
        invalid_argument("the AWS region is missing"),
        unauthenticated("the SDK's api_key has another form"),
    ],
)
async def test_a_bug_of_ours_is_not_a_result(
    state: MemoryState, clock: FakeClock, caplog: pytest.LogCaptureFixture, error: FerryError
) -> None:
    """Nothing was sent, so the job continues once that is corrected."""
    replica = Replica(state, clock, ScriptedAnswers({0: [error]}))
    await replica.create(1)
    await replica.background.idle()
    assert objects(state, "results") == objects(state, "calls") == {}
    assert (await replica.get()).state is BatchState.RUNNING
    assert error.message in caplog.text
    await clock.pass_time(DELAY_SECONDS)
    await replica.get()
    await replica.background.idle()
    assert (await replica.get()).counts == Counts(1, 1, 0)


async def test_a_job_can_be_cancelled_with_a_bad_credential(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = Replica(state, clock, ScriptedAnswers({0: [refusal(Status.UNAUTHENTICATED)] * 9}))
    await replica.create(1)
    await replica.background.idle()
    await replica.cancel(CALLER, JOB_ID)
    await replica.background.idle()
    assert (await replica.get()).state is BatchState.CANCELLED
    assert replica.call.made == [0]


@pytest.mark.parametrize(
    "other",
    [
        replace(CALLER, credential=Credential("AKIA:new")),
        # Another region may be the right one.
        replace(CALLER, headers={"x-ferry-aws-region": "eu-west-1"}),
    ],
    ids=["key", "header"],
)
async def test_only_the_refused_credential_waits(
    state: MemoryState, clock: FakeClock, other: Caller
) -> None:
    bad = refusal(Status.UNAUTHENTICATED, 403)
    replica = Replica(state, clock, ScriptedAnswers({0: [bad] * 2}))
    await replica.create(1)
    await replica.background.idle()
    await replica.get(Caller(CALLER.credential, CALLER.tenant))
    await replica.background.idle()
    assert replica.call.callers == [CALLER]
    await replica.get(other)
    await replica.background.idle()
    assert replica.call.callers == [CALLER, other]
    # The wait is that of one job.
    await replica.submit(new_job(1, first=1), "another job")
    await replica.background.idle()
    assert replica.call.callers == [CALLER, other, CALLER]


async def test_a_refused_credential_is_not_kept(state: MemoryState, clock: FakeClock) -> None:
    bad = refusal(Status.UNAUTHENTICATED, 403)
    replica = Replica(state, clock, ScriptedAnswers({0: [bad]}))
    await replica.create(1)
    await replica.background.idle()
    kept = repr(vars(replica.jobs))
    assert "AKIA" not in kept
    assert "secret" not in kept


# --- the end of the job ------------------------------------------------------------------------


async def test_an_ended_job_is_not_run_again_by_a_waiting_replica(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = await blocked(state, clock, 2)
    waiting = Replica(state, clock)
    await waiting.get()
    owner.call.open.set()
    await owner.background.idle()
    assert objects(state, "results") == objects(state, "input") == {}
    # For an owner that slept since then: it does not start what it finds started.
    assert list(objects(state, "calls")) == ["0000000000-2-1"]
    assert objects(state, "claims") != {}
    await clock.pass_time(TAKEN_OVER)
    await waiting.background.idle()
    assert waiting.call.made == []
    assert (await waiting.get()).counts == Counts(2, 2, 0)


async def test_the_first_end_of_a_job_stays(state: MemoryState, clock: FakeClock) -> None:
    """Another owner ended it while this one slept."""
    owner = await blocked(state, clock, 2)
    job = await find_job("acme", state, KEY)
    assert job is not None
    ending = JobState(BatchState.SUCCEEDED, clock.now(), clock.now(), 2, 0, output=7)
    assert await job.end(ending)
    owner.call.open.set()
    await owner.background.idle()
    assert await job.ending() == ending
    assert objects(state, "output") == {}
    assert owner.background.failures == []


async def test_a_wait_for_a_swept_job_ends(state: MemoryState, clock: FakeClock) -> None:
    owner = await blocked(state, clock, 1)
    await owner.die()
    waiting = Replica(state, clock)
    await waiting.get()
    await settle()
    await state.delete(f"immediate/acme/{KEY}")
    await clock.pass_time(TAKEN_OVER)
    await waiting.background.idle()
    assert waiting.call.made == []


async def test_the_job_of_an_owner_that_died_at_the_end_is_finished(
    state: MemoryState, clock: FakeClock
) -> None:
    """All results are there, and part of an output that nothing names."""
    owner = await blocked(state, clock, 2)
    owner.state.last = "immediate-ended/"
    owner.call.open.set()
    await until(lambda: owner.state.away)
    await settle()
    heir = Replica(state, clock)
    assert (await heir.get()).state is BatchState.RUNNING
    await clock.pass_time(TAKEN_OVER)
    await heir.background.idle()
    assert heir.call.made == []
    assert (await heir.get()).counts == Counts(2, 2, 0)
    assert len(await heir.lines()) == 2


async def test_a_job_whose_input_was_lost_ends(state: MemoryState, clock: FakeClock) -> None:
    owner = await blocked(state, clock, 2)
    await owner.background.stop()
    for name in state.objects:
        if "/input/" in name:
            await state.delete(name)
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()
    batch = await heir.get()
    assert (batch.state, batch.counts) == (BatchState.SUCCEEDED, Counts(2, 0, 0))
    assert await heir.lines() == []
