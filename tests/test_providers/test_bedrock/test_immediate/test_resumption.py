"""After a restart, with the proxy's own credential."""

import pytest

from providers.bedrock.immediate.claims import LEASE_SECONDS, RENEWAL_SECONDS
from providers.bedrock.immediate.job_ids import job_id_of
from providers.bedrock.immediate.resumption import INTERVAL_SECONDS, Resumption
from providers.credential import Caller, Credential
from providers.resources import BatchState
from tests.memory_state import MemoryState
from tests.test_providers.test_bedrock.test_immediate.stage import (
    CALLER,
    FakeClock,
    Replica,
    ScriptedCall,
    refusal,
    settle,
    until,
)


def ambient(tenant: str) -> Caller:
    return Caller(Credential("ambient"), tenant)


def restarted(state: MemoryState, clock: FakeClock, call: ScriptedCall | None = None) -> Replica:
    replica = Replica(state, clock, call)
    looking = Resumption(replica.jobs, ambient, clock).look_for_ever
    replica.background.start("looking", looking)
    return replica


async def test_jobs_of_all_tenants_are_carried_on(state: MemoryState, clock: FakeClock) -> None:
    owner = Replica(state, clock)
    await owner.create(1, job_id_of("ended"))
    await owner.background.idle()
    owner.call.open.clear()
    callers = [ambient("one"), ambient("two")]
    for caller in callers:
        await owner.create(1, job_id_of("unended"), caller)
    await until(lambda: owner.call.at_once == 2)
    await owner.die()

    replica = restarted(state, clock)
    await settle()
    assert replica.call.made == []
    await clock.pass_time(LEASE_SECONDS + RENEWAL_SECONDS)
    assert sorted(caller.tenant for caller in replica.call.callers) == ["one", "two"]
    for caller in callers:
        batch = await replica.jobs.get(caller, job_id_of("unended"))
        assert batch.state is BatchState.SUCCEEDED
    await replica.background.stop()


async def test_a_job_that_was_given_up_goes_on_at_the_next_look(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = restarted(state, clock, ScriptedCall({0: [refusal("UNAUTHENTICATED", 403)] * 2}))
    await replica.create(1)
    await settle()
    assert replica.call.made == [0]
    await clock.pass_time(1.2 * INTERVAL_SECONDS)
    assert replica.call.made == [0, 0]
    await clock.pass_time(1.2 * INTERVAL_SECONDS)
    assert replica.call.made == [0, 0, 0]
    assert (await replica.get()).state is BatchState.SUCCEEDED
    await clock.pass_time(10 * INTERVAL_SECONDS)
    assert replica.call.made == [0, 0, 0]
    await replica.background.stop()


async def test_a_look_that_fails_is_made_again(
    state: MemoryState, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    owner = Replica(state, clock)
    owner.call.open.clear()
    await owner.create(1)
    await until(lambda: owner.call.at_once == 1)
    await owner.background.stop()
    replica = Replica(state, clock)
    replica.state.away = True
    replica.background.start("looking", Resumption(replica.jobs, ambient, clock).look_for_ever)
    await settle()
    assert "unended batches could not be listed: OSError" in caplog.text
    replica.state.away = False
    await clock.pass_time(1.2 * INTERVAL_SECONDS)
    assert replica.call.callers == [ambient(CALLER.tenant)]
    await replica.background.stop()
