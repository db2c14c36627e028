"""How the calls of unfinished batches to the store grow: not with replicas or finished batches."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import pytest

from providers.batches.immediate.heartbeats import LOOK_SECONDS
from providers.batches.immediate.job import job_id_of
from providers.batches.immediate.leases import LEASE_SECONDS, RENEWAL_SECONDS
from providers.credential import Caller, Credential
from tests.contract.counted_state import CountedState
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock, until
from tests.test_providers.test_batches.test_immediate.stage import CALLER, Replica

UNFINISHED = 8
SECONDS = 200.0
WARM_UP = 2 * LEASE_SECONDS


def own(tenant: str) -> Caller:
    return Caller(Credential(), tenant)


@asynccontextmanager
async def running(
    counted: CountedState, clock: FakeClock, replicas: int, finished: int, *, ambient: bool
) -> AsyncIterator[list[Replica]]:
    """Replicas of which the first owns all unfinished batches, each with a call under way."""
    everyone = [Replica(counted, clock, ambient=ambient) for _ in range(replicas)]
    owner, *others = everyone
    for n in range(finished):
        await owner.create(1, f"finished {n}")
    await owner.background.idle()
    if ambient:
        for replica in everyone:
            look = partial(replica.jobs.resume_periodically, own)
            replica.background.start("looking", look)
    owner.call.open.clear()
    for n in range(UNFINISHED):
        await owner.create(1, f"unfinished {n}")
    await until(lambda: owner.call.at_once == UNFINISHED)
    for replica in others:
        for n in range(UNFINISHED):
            await replica.get(CALLER, job_id_of(f"unfinished {n}"))
    await clock.pass_time(WARM_UP)
    yield everyone
    for replica in everyone:
        await replica.background.stop()


async def calls(replicas: int, finished: int, *, ambient: bool) -> Mapping[str, int]:
    counted, clock = CountedState(MemoryState()), FakeClock()
    async with running(counted, clock, replicas, finished, ambient=ambient) as everyone:
        counted.calls.clear()
        await clock.pass_time(SECONDS)
        assert not any(replica.call.made for replica in everyone[1:])
        assert not any(replica.background.failures for replica in everyone)
        return counted.counts()


@pytest.mark.parametrize("ambient", [True, False])
@pytest.mark.parametrize("finished", [10, 100])
@pytest.mark.parametrize("replicas", [1, 2, 4])
async def test_calls_grow_neither_with_replicas_nor_with_finished_batches(
    replicas: int, finished: int, ambient: bool
) -> None:
    """An owner renews its lease. Each replica that waits has one list for all batches together."""
    counts = Counter(await calls(replicas, finished, ambient=ambient))
    listed = counts.pop("list", 0)
    renewals = UNFINISHED * SECONDS / RENEWAL_SECONDS
    # A lease record and a heartbeat, of which the earlier one is deleted.
    assert counts == {"create": 2 * renewals, "delete": renewals}
    waiting = replicas if ambient else replicas - 1
    assert listed <= waiting * (1 + 1.2 * SECONDS / LOOK_SECONDS)
    assert listed >= waiting * 0.8 * SECONDS / LOOK_SECONDS


async def test_a_look_is_one_list_of_unfinished_batches() -> None:
    counted, clock = CountedState(MemoryState()), FakeClock()
    async with running(counted, clock, 2, 100, ambient=True):
        listed = [info.name async for info in counted.list("immediate-open/acme/")]
    assert len(listed) == 2 * UNFINISHED
