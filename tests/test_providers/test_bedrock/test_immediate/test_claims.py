import asyncio
from datetime import UTC, datetime

import pytest

from providers.bedrock.immediate.claims import (
    LEASE_SECONDS,
    MARGIN_SECONDS,
    RENEWAL_SECONDS,
    Claim,
    Claims,
    Lease,
    LostClaim,
    Progress,
    acquire,
)
from providers.bedrock.immediate.clock import SystemClock
from tests.memory_state import MemoryState
from tests.test_providers.test_bedrock.test_immediate.stage import FakeClock, settle
from tests.test_providers.test_bedrock.test_immediate.stores import Mortal

STARTED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def claims(state: MemoryState) -> Claims:
    return Claims("job/claims", state)


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def taken(claims: Claims, clock: FakeClock) -> Lease:
    lease = await acquire(claims, clock, yes)
    assert lease is not None
    return lease


async def test_the_newest_claim_is_that_of_the_last_epoch(claims: Claims) -> None:
    assert await claims.newest() is None
    for epoch in (1, 2, 9, 10, 11, 100):
        claim = Claim(epoch, "a", STARTED, Progress(epoch, 1))
        assert await claims.create(claim)
        assert await claims.newest() == claim


async def test_an_epoch_belongs_to_one_owner(claims: Claims) -> None:
    assert await claims.create(Claim(1, "a", STARTED))
    assert not await claims.create(Claim(1, "b", STARTED))
    # A create whose answer was lost is repeated.
    assert await claims.create(Claim(1, "a", STARTED))


async def test_a_free_job_is_had_at_once(claims: Claims, clock: FakeClock) -> None:
    lease = await taken(claims, clock)
    assert (lease.epoch, lease.started, lease.progress) == (1, clock.now(), Progress())
    lease.check()


async def test_of_many_one_has_it(claims: Claims, clock: FakeClock) -> None:
    tasks = [asyncio.create_task(acquire(claims, clock, yes)) for _ in range(5)]
    await settle()
    assert [task.done() for task in tasks].count(True) == 1
    await clock.pass_time(LEASE_SECONDS - 1)
    assert [task.done() for task in tasks].count(True) == 1
    # Its owner renews nothing: another one has it, and again a whole lease later another.
    await clock.pass_time(2 * RENEWAL_SECONDS)
    assert [task.done() for task in tasks].count(True) == 2
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_claim_that_is_renewed_is_not_taken(claims: Claims, clock: FakeClock) -> None:
    lease = await taken(claims, clock)
    keeping = asyncio.create_task(lease.keep(lambda: Progress(3, 1)))
    expiring = asyncio.create_task(lease.expire())
    waiting = asyncio.create_task(acquire(claims, clock, yes))
    await clock.pass_time(20 * LEASE_SECONDS)
    assert not any(task.done() for task in (keeping, expiring, waiting))
    newest = await claims.newest()
    assert newest is not None
    assert newest.epoch == 1 + 20 * LEASE_SECONDS / RENEWAL_SECONDS
    assert newest.progress == Progress(3, 1)
    keeping.cancel()
    await clock.pass_time(LEASE_SECONDS)
    with pytest.raises(LostClaim):
        await expiring
    await clock.pass_time(2 * RENEWAL_SECONDS)
    heir = await waiting
    assert heir is not None
    assert (heir.epoch, heir.started, heir.progress) == (
        newest.epoch + 1,
        lease.started,
        newest.progress,
    )


async def test_a_lease_is_over_before_another_may_have_it(claims: Claims, clock: FakeClock) -> None:
    lease = await taken(claims, clock)
    expiring = asyncio.create_task(lease.expire())
    await clock.pass_time(LEASE_SECONDS - MARGIN_SECONDS - 0.1)
    lease.check()
    assert not expiring.done()
    await clock.pass_time(0.1)
    with pytest.raises(LostClaim):
        lease.check()
    with pytest.raises(LostClaim):
        await expiring


async def test_who_cannot_write_the_next_epoch_has_lost(claims: Claims, clock: FakeClock) -> None:
    lease = await taken(claims, clock)
    await claims.create(Claim(2, "another", STARTED))
    keeping = asyncio.create_task(lease.keep(Progress))
    await clock.pass_time(RENEWAL_SECONDS)
    with pytest.raises(LostClaim):
        await keeping


async def test_what_is_given_up_is_had_at_once(claims: Claims, clock: FakeClock) -> None:
    lease = await taken(claims, clock)
    await lease.give_up(Progress(5, 2))
    heir = await taken(claims, clock)
    assert (heir.epoch, heir.progress) == (3, Progress(5, 2))


async def test_it_is_given_up_also_after_a_renewal_that_was_cut_off(
    claims: Claims, clock: FakeClock
) -> None:
    lease = await taken(claims, clock)
    own = await claims.newest()
    assert own is not None
    await claims.create(Claim(2, own.owner, own.started))
    await lease.give_up(Progress())
    assert (await taken(claims, clock)).epoch == 4


async def test_what_another_has_is_not_given_up(claims: Claims, clock: FakeClock) -> None:
    lease = await taken(claims, clock)
    another = Claim(2, "another", STARTED)
    await claims.create(another)
    await lease.give_up(Progress())
    assert await claims.newest() == another


async def test_a_store_that_is_away_is_asked_again(
    state: MemoryState, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    mortal = Mortal(state)
    lease = await taken(Claims("job/claims", mortal), clock)
    keeping = asyncio.create_task(lease.keep(Progress))
    mortal.away = True
    await clock.pass_time(RENEWAL_SECONDS + 3)
    assert lease.epoch == 1
    mortal.away = False
    await clock.pass_time(1)
    assert lease.epoch == 2
    assert "could not be renewed yet: OSError" in caplog.text
    keeping.cancel()


async def test_what_is_not_wanted_is_not_had(state: MemoryState, clock: FakeClock) -> None:
    assert await acquire(Claims("job/claims", state), clock, no) is None
    assert state.objects == {}


async def test_what_ends_just_when_it_is_had_is_not_had(claims: Claims, clock: FakeClock) -> None:
    """Who ended the job may have removed the claims on it."""
    answers = iter([True, False])

    async def wanted() -> bool:
        return next(answers)

    assert await acquire(claims, clock, wanted) is None


async def test_the_systems_clock_is_in_utc_and_goes_on() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.wait(0)
    assert clock.monotonic() >= before
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 60
