"""Immediate batches on every form of the state store: one replica starts, another ends."""

import asyncio

from providers.batches.immediate.clock import Clock
from providers.batches.immediate.heartbeats import Heartbeats
from providers.batches.immediate.leases import Lease
from providers.resources import BatchState, Counts
from providers.status import Status
from tests.contract.conftest import Replicas
from tests.test_providers.test_batches.test_immediate.scripted_answers import ScriptedAnswers
from tests.test_providers.test_batches.test_immediate.stage import (
    CALLER,
    JOB_ID,
    Replica,
    refusal,
)


async def yes() -> bool:
    return True


async def test_one_of_many_replicas_gets_the_lease(replicas: Replicas) -> None:
    stores = [await replicas.another() for _ in range(4)]
    clock = Clock()
    leases = [
        Lease("immediate-work/x/claims", "x/y/z", store, Heartbeats("acme", store, clock), clock)
        for store in stores
    ]
    tasks = [asyncio.create_task(lease.acquire(yes)) for lease in leases]
    done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() for task in done] == [True]
    assert sorted(lease.record.epoch for lease in leases) == [0, 0, 0, 1]
    assert len(waiting) == 3
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_one_replica_continues_what_another_released(replicas: Replicas) -> None:
    expired = ScriptedAnswers({3: [refusal(Status.UNAUTHENTICATED, 403)]})
    first = Replica(await replicas.another(), Clock(), expired)
    second = Replica(await replicas.another(), Clock())
    assert (await first.create(5)).state is BatchState.PENDING
    await first.background.ended()
    assert (await second.get()).state is BatchState.RUNNING
    await second.background.ended()
    made = first.call.made + second.call.made
    assert sorted(made) == [0, 1, 2, 3, 3, 4]
    ended = await second.get()
    assert (ended.state, ended.counts) == (BatchState.SUCCEEDED, Counts(5, 5, 0))
    assert [line["response"] for line in await first.lines()] == [{"n": n} for n in range(5)]
    listed, _ = await first.jobs.list(CALLER, "", 5)
    assert [batch.id for batch in listed] == [JOB_ID]


async def test_a_deleted_job_leaves_nothing(replicas: Replicas) -> None:
    state = await replicas.another()
    replica = Replica(state, Clock())
    await replica.create(2)
    await replica.background.ended()
    await replica.delete(CALLER, JOB_ID)
    assert [info.name async for info in state.list("")] == []


async def test_a_job_is_cancelled_by_another_replica(replicas: Replicas) -> None:
    owner = Replica(await replicas.another(), Clock())
    owner.call.open.clear()
    await owner.create(9)
    await owner.call.in_flight(8)
    other = Replica(await replicas.another(), Clock())
    await other.cancel(CALLER, JOB_ID)
    owner.call.open.set()
    await owner.background.ended()
    ended = await other.get()
    assert (ended.state, ended.counts) == (BatchState.CANCELLED, Counts(9, 8, 0))
    assert owner.background.failures == other.background.failures == []
    await other.background.stop()
