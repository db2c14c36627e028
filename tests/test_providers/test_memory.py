import pytest

from providers.errors import FerryError
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
