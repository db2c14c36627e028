import asyncio
from dataclasses import replace
from math import inf

import pytest

from providers.batches.immediate.heartbeats import LOOK_SECONDS, Heartbeats, key_of
from providers.batches.immediate.leases import LEASE_SECONDS, RENEWAL_SECONDS, Lease
from providers.state import write
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock, settle, until
from tests.test_providers.test_batches.test_immediate.stage import (
    JOB_ID,
    KEY,
    TAKEN_OVER,
    Replica,
    blocked,
    objects,
)
from tests.test_providers.test_batches.test_immediate.stores import Mortal

JOB = f"{KEY}/c"


@pytest.fixture
def heartbeats(state: MemoryState, clock: FakeClock) -> Heartbeats:
    return Heartbeats("acme", state, clock)


async def look(heartbeats: Heartbeats, clock: FakeClock) -> None:
    looking = asyncio.create_task(heartbeats.look())
    await clock.pass_time(1.1 * LOOK_SECONDS)
    await looking


async def test_silence_begins_with_the_first_sight_of_a_heartbeat(
    state: MemoryState, clock: FakeClock, heartbeats: Heartbeats
) -> None:
    assert heartbeats.silence(JOB) == inf
    await Heartbeats("acme", state, clock).write(JOB, 1)
    clock.leap(100)
    await heartbeats.look()
    seen = clock.monotonic()
    assert heartbeats.silence(JOB) == 0
    await look(heartbeats, clock)
    assert heartbeats.silence(JOB) == clock.monotonic() - seen
    assert heartbeats.first_seen(JOB, 1) == seen
    assert heartbeats.first_seen(JOB, 2) == clock.monotonic()
    await heartbeats.write(JOB, 2)
    await look(heartbeats, clock)
    assert heartbeats.silence(JOB) < 1.1 * LOOK_SECONDS
    await heartbeats.stop(JOB)
    await look(heartbeats, clock)
    assert heartbeats.silence(JOB) == inf


async def test_one_heartbeat_of_a_job_is_kept(state: MemoryState, heartbeats: Heartbeats) -> None:
    for epoch in range(1, 12):
        await heartbeats.write(JOB, epoch)
    assert list(state.objects) == [f"immediate-open/acme/{JOB}.00000011"]


async def test_the_newest_counts_if_an_earlier_one_could_not_be_deleted(
    state: MemoryState, clock: FakeClock, heartbeats: Heartbeats
) -> None:
    for epoch in (9, 10):
        await write(state, f"immediate-open/acme/{JOB}.{epoch:08d}", b"")
    await heartbeats.look()
    clock.leap(5)
    assert heartbeats.first_seen(JOB, 10) == clock.monotonic() - 5
    assert heartbeats.first_seen(JOB, 9) == clock.monotonic()


async def test_a_released_job_has_no_heartbeat_even_after_an_interrupted_renewal(
    state: MemoryState, clock: FakeClock
) -> None:
    """Otherwise another replica would wait for a whole lease."""
    owner = await blocked(state, clock, 1)
    [heartbeat] = [name for name in state.objects if name.startswith("immediate-open/")]
    store = owner.state
    store.last = heartbeat.removesuffix("1") + "2"
    await clock.pass_time(RENEWAL_SECONDS)  # the lease is renewed, the heartbeat is not written
    assert store.away
    assert heartbeat in state.objects
    store.last, store.away = None, False
    await owner.background.stop()
    assert not any(name.startswith("immediate-open/") for name in state.objects)
    heir = Replica(state, clock)
    await heir.get()
    await heir.background.idle()
    assert heir.call.made == [0]


async def test_markers_and_heartbeats_are_told_apart(
    state: MemoryState, heartbeats: Heartbeats
) -> None:
    await write(state, f"immediate-open/acme/{JOB}", b"")
    await write(state, "immediate-open/acme/tenant/a-later-id/c", b"")
    await write(state, f"immediate-open/another/{JOB}", b"")
    await heartbeats.write(f"other/{JOB_ID}/c", 1)
    await heartbeats.look()
    assert list(map(key_of, heartbeats.unfinished)) == [None, KEY]


async def test_those_that_wait_share_one_look(state: MemoryState, clock: FakeClock) -> None:
    counted = Mortal(state)
    heartbeats = Heartbeats("acme", counted, clock)
    await heartbeats.look()
    for looks in range(2, 5):
        waiting = [asyncio.create_task(heartbeats.look()) for _ in range(50)]
        await settle()
        assert not any(task.done() for task in waiting)
        await clock.pass_time(1.1 * LOOK_SECONDS)
        await asyncio.gather(*waiting)
        assert len(counted.listed) == looks


async def test_a_failed_look_is_repeated_after_a_pause_by_the_next_that_waits(
    state: MemoryState, clock: FakeClock
) -> None:
    store = Mortal(state)
    heartbeats = Heartbeats("acme", store, clock)
    store.away = True
    first, second = (asyncio.create_task(heartbeats.look()) for _ in range(2))
    await settle()
    with pytest.raises(OSError, match="away"):
        await first
    store.away = False
    assert not second.done()
    await clock.pass_time(1.1 * LOOK_SECONDS)
    await second
    assert len(store.listed) == 1


async def test_an_owner_without_heartbeats_keeps_its_job(
    state: MemoryState, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a rolling update, an earlier version writes only lease records."""
    owner = await blocked(state, clock, 2)
    other = Replica(state, clock)

    async def nothing(*_: object) -> None:
        pass

    for name in [name for name in state.objects if name.startswith("immediate-open/")]:
        await state.delete(name)
    monkeypatch.setattr(Heartbeats, "write", nothing)
    await other.get()
    await clock.pass_time(10 * LEASE_SECONDS)
    assert other.call.made == []
    await owner.die()
    await clock.pass_time(TAKEN_OVER)
    assert sorted(other.call.made) == [0, 1]
    await other.background.stop()


async def test_heartbeats_that_stop_are_no_proof_against_a_renewed_lease(
    state: MemoryState, clock: FakeClock
) -> None:
    heartbeats = Heartbeats("acme", state, clock)
    lease = Lease("immediate-work/claims", JOB, state, heartbeats, clock)

    async def wanted() -> bool:
        return True

    assert await lease.acquire(wanted)
    heir = Lease("immediate-work/claims", JOB, state, Heartbeats("acme", state, clock), clock)
    waiting = asyncio.create_task(heir.acquire(wanted))
    for _ in range(int(10 * LEASE_SECONDS / RENEWAL_SECONDS)):
        await clock.pass_time(RENEWAL_SECONDS)
        lease.record = replace(lease.record, epoch=lease.record.epoch + 1)
        assert await lease.create(lease.record)
    assert not waiting.done()
    await clock.pass_time(TAKEN_OVER)
    assert await waiting


async def test_nothing_of_an_ended_job_stays_in_the_list(
    state: MemoryState, clock: FakeClock
) -> None:
    for ambient in (True, False):
        owner = Replica(state, clock, ambient=ambient)
        owner.call.open.clear()
        await owner.create(1, f"job {ambient}")
        await until(lambda owner=owner: owner.call.at_once == 1)  # type: ignore[misc]
        await clock.pass_time(3 * RENEWAL_SECONDS)
        kept = [name for name in state.objects if name.startswith("immediate-open/")]
        assert len(kept) == 1 + ambient
        owner.call.open.set()
        await owner.background.idle()
        assert not any(name.startswith("immediate-open/") for name in state.objects)
    assert objects(state, "claims")
