import asyncio
from datetime import UTC, datetime

import pytest

from providers.batches.immediate.clock import Clock
from providers.batches.immediate.heartbeats import Heartbeats
from providers.batches.immediate.leases import (
    LEASE_SECONDS,
    MARGIN_SECONDS,
    RENEWAL_SECONDS,
    Lease,
    LeaseLost,
    LeaseRecord,
)
from providers.state import State
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock, settle
from tests.test_providers.test_batches.test_immediate.stores import Mortal

STARTED = datetime(2026, 1, 1, tzinfo=UTC)


class Claimants(Lease):
    """What is stored of a lease, for processes that want it."""

    def __init__(self, state: State, clock: FakeClock) -> None:
        self._own = state, Heartbeats("acme", state, clock), clock
        super().__init__("immediate-work/claims", "a/job/c", *self._own)

    def another(self) -> Lease:
        return Lease("immediate-work/claims", "a/job/c", *self._own)


@pytest.fixture
def leases(state: MemoryState, clock: FakeClock) -> Claimants:
    return Claimants(state, clock)


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def taken(leases: Claimants) -> Lease:
    lease = leases.another()
    assert await lease.acquire(yes)
    return lease


async def test_the_newest_lease_is_that_of_the_last_epoch(leases: Claimants) -> None:
    assert await leases.newest() is None
    for epoch in (1, 2, 9, 10, 11, 100):
        lease_record = LeaseRecord(epoch, "a", STARTED)
        assert await leases.create(lease_record)
        assert await leases.newest() == lease_record


async def test_an_epoch_belongs_to_one_owner(leases: Claimants) -> None:
    assert await leases.create(LeaseRecord(1, "a", STARTED))
    assert not await leases.create(LeaseRecord(1, "b", STARTED))
    # A create whose answer was lost is repeated.
    assert await leases.create(LeaseRecord(1, "a", STARTED))


async def test_a_free_job_is_leased_at_once(leases: Claimants, clock: FakeClock) -> None:
    lease = await taken(leases)
    assert (lease.record.epoch, lease.record.started) == (1, clock.now())
    lease.check()


async def test_one_of_many_replicas_has_it(leases: Claimants, clock: FakeClock) -> None:
    tasks = [asyncio.create_task(leases.another().acquire(yes)) for _ in range(5)]
    await settle()
    assert [task.done() for task in tasks].count(True) == 1
    await clock.pass_time(LEASE_SECONDS - 1)
    assert [task.done() for task in tasks].count(True) == 1
    # No owner renews it: another takes it, and a whole lease later the next one.
    await clock.pass_time(2 * RENEWAL_SECONDS)
    assert [task.done() for task in tasks].count(True) == 2
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_renewed_lease_is_not_taken(leases: Claimants, clock: FakeClock) -> None:
    lease = await taken(leases)
    keeping = asyncio.create_task(lease.keep())
    expiring = asyncio.create_task(lease.expire())
    heir = leases.another()
    waiting = asyncio.create_task(heir.acquire(yes))
    await clock.pass_time(20 * LEASE_SECONDS)
    assert not any(task.done() for task in (keeping, expiring, waiting))
    newest = await leases.newest()
    assert newest is not None
    assert newest.epoch == 1 + 20 * LEASE_SECONDS / RENEWAL_SECONDS
    keeping.cancel()
    await clock.pass_time(LEASE_SECONDS)
    with pytest.raises(LeaseLost):
        await expiring
    await clock.pass_time(2 * RENEWAL_SECONDS)
    assert await waiting
    assert (heir.record.epoch, heir.record.started) == (newest.epoch + 1, lease.record.started)


async def test_a_lease_ends_before_another_may_take_it(leases: Claimants, clock: FakeClock) -> None:
    lease = await taken(leases)
    expiring = asyncio.create_task(lease.expire())
    await clock.pass_time(LEASE_SECONDS - MARGIN_SECONDS - 0.1)
    lease.check()
    assert not expiring.done()
    await clock.pass_time(0.1)
    with pytest.raises(LeaseLost):
        lease.check()
    with pytest.raises(LeaseLost):
        await expiring


async def test_an_owner_that_cannot_write_the_next_epoch_has_lost(
    leases: Claimants, clock: FakeClock
) -> None:
    lease = await taken(leases)
    await leases.create(LeaseRecord(2, "another", STARTED))
    keeping = asyncio.create_task(lease.keep())
    await clock.pass_time(RENEWAL_SECONDS)
    with pytest.raises(LeaseLost):
        await keeping


async def test_a_released_lease_is_available_at_once(leases: Claimants, clock: FakeClock) -> None:
    lease = await taken(leases)
    await lease.release()
    heir = await taken(leases)
    assert heir.record.epoch == 3


async def test_it_is_released_also_after_an_interrupted_renewal(
    leases: Claimants, clock: FakeClock
) -> None:
    lease = await taken(leases)
    own = await leases.newest()
    assert own is not None
    await leases.create(LeaseRecord(2, own.owner, own.started))
    await lease.release()
    assert (await taken(leases)).record.epoch == 4


async def test_a_lease_of_another_is_not_released(leases: Claimants, clock: FakeClock) -> None:
    lease = await taken(leases)
    another = LeaseRecord(2, "another", STARTED)
    await leases.create(another)
    await lease.release()
    assert await leases.newest() == another


async def test_an_unavailable_store_is_called_again(
    state: MemoryState, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    mortal = Mortal(state)
    lease = await taken(Claimants(mortal, clock))
    keeping = asyncio.create_task(lease.keep())
    mortal.away = True
    await clock.pass_time(RENEWAL_SECONDS + 3)
    assert lease.record.epoch == 1
    mortal.away = False
    await clock.pass_time(1)
    assert lease.record.epoch == 2
    assert "could not be renewed yet: OSError" in caplog.text
    keeping.cancel()


async def test_an_unwanted_lease_is_not_taken(state: MemoryState, clock: FakeClock) -> None:
    assert not await Claimants(state, clock).acquire(no)
    assert state.objects == {}


async def test_a_job_that_ends_while_it_is_leased_is_not_run(
    leases: Claimants, clock: FakeClock
) -> None:
    """The owner that ended the job may have removed its leases."""
    answers = iter([True, False])

    async def wanted() -> bool:
        return next(answers)

    assert not await leases.acquire(wanted)


async def test_the_systems_clock_is_in_utc_and_advances() -> None:
    clock = Clock()
    before = clock.monotonic()
    await clock.wait(0)
    assert clock.monotonic() >= before
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 60
