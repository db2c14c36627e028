"""Jobs that are cancelled: here, elsewhere, with an owner and without."""

import pytest

from providers.batches.immediate.heartbeats import LOOK_SECONDS
from providers.batches.immediate.leases import RENEWAL_SECONDS
from providers.errors import FerryError
from providers.resources import BatchState, Counts
from providers.status import Status
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock, settle, until
from tests.test_providers.test_batches.test_immediate.scripted_answers import ScriptedAnswers
from tests.test_providers.test_batches.test_immediate.stage import (
    CALLER,
    JOB_ID,
    TAKEN_OVER,
    Replica,
    blocked,
    refusal,
)


async def test_a_cancelled_job_waits_for_its_calls_and_starts_no_other(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = await blocked(state, clock, 20)
    await owner.cancel(CALLER, JOB_ID)
    cancelling = await owner.get()
    assert (cancelling.state, cancelling.native_status) == (BatchState.CANCELLING, "stopping")
    await owner.cancel(CALLER, JOB_ID)  # repeating it is harmless
    owner.call.open.set()
    await owner.background.idle()
    ended = await owner.get()
    assert (ended.state, ended.native_status) == (BatchState.CANCELLED, "stopped")
    assert ended.counts == Counts(20, 8, 0)
    assert len(await owner.lines()) == 8
    assert len(owner.call.made) == 8
    with pytest.raises(FerryError) as caught:
        await owner.cancel(CALLER, JOB_ID)
    assert caught.value.status == Status.FAILED_PRECONDITION
    await owner.delete(CALLER, JOB_ID)
    assert state.objects == {}


async def test_a_cancel_from_another_replica_is_noticed_before_the_next_call(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = await blocked(state, clock, 20)
    other = Replica(state, clock)
    await other.cancel(CALLER, JOB_ID)
    owner.call.open.set()
    await owner.background.idle()
    assert len(owner.call.made) == 8
    assert (await other.get()).state is BatchState.CANCELLED
    await clock.pass_time(1.2 * LOOK_SECONDS)
    await other.background.idle()
    assert other.call.made == []


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_cancel_ends_a_retry_delay(
    state: MemoryState, clock: FakeClock, elsewhere: bool
) -> None:
    owner = Replica(
        state, clock, ScriptedAnswers({0: [refusal(Status.RESOURCE_EXHAUSTED, 429)] * 9})
    )
    await owner.create(1)
    await until(lambda: owner.call.made == [0])
    await settle()
    other = Replica(state, clock) if elsewhere else owner
    await other.cancel(CALLER, JOB_ID)
    if elsewhere:
        await clock.pass_time(RENEWAL_SECONDS)
    await owner.background.idle()
    assert owner.call.made == [0]
    assert (await owner.get()).counts == Counts(1, 0, 0)
    assert await owner.lines() == []
    await other.background.stop()


async def test_a_job_without_an_owner_is_ended_by_its_cancel(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = await blocked(state, clock, 2)
    await owner.background.stop()
    other = Replica(state, clock)
    await other.cancel(CALLER, JOB_ID)
    await other.background.idle()
    assert (await other.get()).state is BatchState.CANCELLED
    assert other.call.made == []


async def test_a_job_whose_owner_died_is_cancelled_after_its_lease(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = await blocked(state, clock, 2)
    await owner.die()
    other = Replica(state, clock)
    await other.cancel(CALLER, JOB_ID)
    assert (await other.get()).state is BatchState.CANCELLING
    await clock.pass_time(TAKEN_OVER)
    await other.background.idle()
    assert (await other.get()).state is BatchState.CANCELLED
    assert other.call.made == []


async def test_a_cancelled_job_with_a_refused_credential_ends(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = Replica(state, clock, ScriptedAnswers({0: [refusal(Status.UNAUTHENTICATED, 403)]}))
    owner.call.open.clear()
    await owner.create(1)
    await until(lambda: owner.call.at_once == 1)
    await owner.cancel(CALLER, JOB_ID)
    owner.call.open.set()
    await owner.background.idle()
    assert [name for name in state.objects if name.startswith("immediate-ended/")]
    assert (await owner.get()).counts == Counts(1, 0, 0)
