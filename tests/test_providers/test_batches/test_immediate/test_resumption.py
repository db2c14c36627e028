"""After a restart, with the proxy's own credential."""

from functools import partial

import pytest

from providers.batches.immediate.heartbeats import LOOK_SECONDS
from providers.batches.immediate.job import job_id_of
from providers.batches.immediate.jobs import DELAY_SECONDS
from providers.credential import Caller, Credential
from providers.resources import BatchState
from providers.state import write
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


def ambient(tenant: str) -> Caller:
    return Caller(Credential("ambient"), tenant)


def restarted(state: MemoryState, clock: FakeClock, call: ScriptedAnswers | None = None) -> Replica:
    replica = Replica(state, clock, call, ambient=True)
    replica.background.start("looking", partial(replica.jobs.resume_periodically, ambient))
    return replica


async def test_jobs_of_all_tenants_continue(state: MemoryState, clock: FakeClock) -> None:
    owner = Replica(state, clock, ambient=True)
    await owner.create(1, "ended")
    await owner.background.idle()
    owner.call.open.clear()
    callers = [ambient("one"), ambient("two")]
    for caller in callers:
        await owner.create(1, "unended", caller)
    await until(lambda: owner.call.at_once == 2)
    await owner.die()

    replica = restarted(state, clock)
    await settle()
    assert replica.call.made == []
    await clock.pass_time(TAKEN_OVER)
    assert sorted(caller.tenant for caller in replica.call.callers) == ["one", "two"]
    for caller in callers:
        batch = await replica.get(caller, job_id_of("unended"))
        assert batch.state is BatchState.SUCCEEDED
    await replica.background.stop()


async def test_a_released_job_continues_at_a_later_get(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = restarted(
        state, clock, ScriptedAnswers({0: [refusal(Status.UNAUTHENTICATED, 403)] * 2})
    )
    await replica.create(1)
    await settle()
    assert replica.call.made == [0]
    await clock.pass_time(DELAY_SECONDS - 1)
    assert replica.call.made == [0]
    await clock.pass_time(1 + 1.2 * LOOK_SECONDS)
    assert replica.call.made == [0, 0]
    await clock.pass_time(DELAY_SECONDS + 1.2 * LOOK_SECONDS)
    assert replica.call.made == [0, 0, 0]
    assert (await replica.get()).state is BatchState.SUCCEEDED
    await clock.pass_time(10 * LOOK_SECONDS)
    assert replica.call.made == [0, 0, 0]
    await replica.background.stop()


async def test_a_job_of_a_callers_credential_does_not_use_the_proxys(
    state: MemoryState, clock: FakeClock
) -> None:
    """The settings changed between the job's creation and its end."""
    owner = await blocked(state, clock, 2)
    await owner.background.stop()
    replica = restarted(state, clock)
    assert (await replica.get()).state is BatchState.RUNNING
    await clock.pass_time(3 * TAKEN_OVER)
    assert replica.call.made == []
    # It still ends, which costs nothing.
    await replica.cancel(CALLER, JOB_ID)
    await clock.pass_time(TAKEN_OVER)
    assert (await replica.get()).state is BatchState.CANCELLED
    assert replica.call.made == []
    await replica.background.stop()


async def test_a_job_of_the_proxys_credential_does_not_use_a_callers(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = Replica(state, clock, ambient=True)
    owner.call.open.clear()
    await owner.create(1)
    await until(lambda: owner.call.at_once == 1)
    await owner.background.stop()
    replica = Replica(state, clock)
    assert (await replica.get()).state is BatchState.RUNNING
    await clock.pass_time(TAKEN_OVER)
    assert replica.call.made == []
    await replica.background.stop()


async def test_a_search_lists_open_jobs_and_reads_nothing(
    state: MemoryState, clock: FakeClock
) -> None:
    """Of a job whose owner lives, a replica does not even read the record."""
    owner = Replica(state, clock, ambient=True)
    await owner.create(1, "ended")
    await owner.background.idle()
    owner.call.open.clear()
    await owner.create(1)
    await until(lambda: owner.call.at_once == 1)
    replica = restarted(state, clock)
    await clock.pass_time(3 * TAKEN_OVER)
    assert replica.state.read == []
    assert set(replica.state.listed) == {"immediate-open/acme/"}
    await owner.background.stop()
    await replica.background.stop()


async def test_a_finished_job_whose_owner_died_is_closed(
    state: MemoryState, clock: FakeClock
) -> None:
    owner = Replica(state, clock, ambient=True)
    owner.call.open.clear()
    await owner.create(1)
    await until(lambda: owner.call.at_once == 1)
    [marker, _] = [name for name in state.objects if name.startswith("immediate-open/")]
    owner.call.open.set()
    await owner.background.idle()
    assert marker not in state.objects
    await write(state, marker, b"")
    replica = restarted(state, clock)
    await settle()
    assert marker not in state.objects
    assert replica.call.made == []
    await replica.background.stop()


async def test_a_failed_search_is_repeated(
    state: MemoryState, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    owner = Replica(state, clock, ambient=True)
    owner.call.open.clear()
    await owner.create(1)
    await until(lambda: owner.call.at_once == 1)
    await owner.background.stop()
    replica = Replica(state, clock, ambient=True)
    replica.state.away = True
    replica.background.start("looking", partial(replica.jobs.resume_periodically, ambient))
    await settle()
    assert "unfinished batches could not be listed: OSError" in caplog.text
    replica.state.away = False
    await clock.pass_time(1.2 * LOOK_SECONDS)
    assert replica.call.callers == [ambient(CALLER.tenant)]
    await replica.background.stop()
