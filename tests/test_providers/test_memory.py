from collections.abc import AsyncIterator

import pytest

from providers.errors import FerryError
from providers.fair_shares import SHARE_USER, ShareUser
from providers.memory import MemoryBudget
from providers.status import Status


def test_a_share_grows_and_is_given_back_whole() -> None:
    budget = MemoryBudget(10)
    with budget.reserve(2) as share:
        share.grow(8)
        with pytest.raises(FerryError) as caught:
            budget.take(1)
        assert (caught.value.status, caught.value.code) == (Status.RESOURCE_EXHAUSTED, 429)
        assert caught.value.retry_after == "1"
    budget.take(10)


def test_a_share_is_always_given_back() -> None:
    budget = MemoryBudget(10)
    with pytest.raises(FerryError), budget.reserve(3) as share:
        share.grow(8)
    with pytest.raises(FerryError), budget.reserve(11):
        pass
    budget.take(10)


def test_a_share_released_early_can_be_reserved_again() -> None:
    budget = MemoryBudget(10)
    with budget.reserve(9) as share:
        share.release()
        share.grow(10)
    budget.take(10)


def test_more_is_reserved_for_the_length_of_a_block() -> None:
    budget = MemoryBudget(10)
    with budget.reserve(4) as share:
        with share.more(6), pytest.raises(FerryError):
            share.grow(1)
        with pytest.raises(FerryError), share.more(7):
            pass
        share.grow(6)
    budget.take(10)


def test_more_than_the_whole_budget_is_refused_for_good() -> None:
    budget = MemoryBudget(10)
    with budget.reserve(4) as share:
        with pytest.raises(FerryError, match="10 bytes of memory") as caught:
            share.grow(7)
        assert (caught.value.status, caught.value.permanent) == (Status.FAILED_PRECONDITION, True)
        with pytest.raises(FerryError) as caught, budget.reserve(7):
            pass
        assert (caught.value.status, caught.value.permanent) == (Status.RESOURCE_EXHAUSTED, False)
    budget.take(10)


def test_a_reservation_stays_in_the_share_in_which_it_began() -> None:
    known: set[str] = set()
    budget = MemoryBudget(1000, accepted=known.__contains__)
    SHARE_USER.set(ShareUser("ann"))
    with budget.reserve(400) as held:
        known.add("ann")
        held.grow(100)
        SHARE_USER.set(ShareUser("made-up"))
        with budget.reserve(250), pytest.raises(FerryError, match="no provider has accepted"):
            budget.take(1)
    assert budget.used == 0


async def test_memory_is_reserved_for_the_bytes_that_have_arrived() -> None:
    budget, seen = MemoryBudget(1000), []

    async def arriving() -> AsyncIterator[bytes]:
        for _ in range(3):
            seen.append(budget.used)
            yield b"x" * 10

    with budget.reserve() as reservation:
        assert await reservation.read(arriving(), 30, 2) == b"x" * 30
        assert seen == [0, 20, 40]
        assert await reservation.read(arriving(), 29, 1) is None
        with pytest.raises(FerryError):
            await reservation.read(arriving(), 30, 100)
    assert budget.used == 0
