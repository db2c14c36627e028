from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from providers.errors import FerryError
from providers.memory import MEMORY_USER, MemoryBudget, MemoryUser
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


# --- shares -------------------------------------------------------------------------------------


def refused(budget: MemoryBudget, size: int) -> str | None:
    """The message with which the running request is refused `size` bytes; None if it gets them."""
    try:
        with budget.reserve(size):
            return None
    except FerryError as error:
        return error.message if (error.code, error.retry_after) == (429, "1") else "another error"


@contextmanager
def request_of(tenant: str | None) -> Iterator[None]:
    token = MEMORY_USER.set(MemoryUser(tenant))
    try:
        yield
    finally:
        MEMORY_USER.reset(token)


def flood(budget: MemoryBudget, tenant: str | None, size: int, held: ExitStack) -> int:
    """Requests that each keep `size` bytes, until one is refused; how many there are."""
    for number in range(1000):
        with request_of(tenant):
            if refused(budget, size) is not None:
                return number
            held.enter_context(budget.reserve(size))
    raise AssertionError("nothing was refused")


def test_one_tenants_flood_leaves_others_their_share() -> None:
    budget = MemoryBudget(1000)
    with ExitStack() as held:
        assert flood(budget, "ann", 40, held) == 13
        assert budget.used == 520
        assert flood(budget, "bob", 40, held) == 6
        assert flood(budget, "eve", 40, held) == 3
        with request_of("ann"):
            assert "your share of the proxy's memory" in (refused(budget, 40) or "")
    assert budget.used == 0


def test_keys_that_no_provider_has_accepted_have_one_share_together() -> None:
    budget = MemoryBudget(1000, accepted=lambda tenant: tenant == "ann")
    with ExitStack() as held:
        made_up = [flood(budget, f"made-up-{number}", 40, held) for number in range(20)]
        assert made_up == [13, *[0] * 19]
        with request_of("made-up-99"):
            assert "no provider has accepted" in (refused(budget, 40) or "")
        assert flood(budget, "ann", 40, held) == 6


def test_background_work_has_a_share_of_its_own() -> None:
    budget = MemoryBudget(1000, accepted=lambda _: False)
    with ExitStack() as held:
        assert flood(budget, "made-up", 40, held) == 13
        with request_of(None):
            assert refused(budget, 400) is None
            assert refused(budget, 481) is not None


def test_a_single_request_may_need_more_than_its_share() -> None:
    budget = MemoryBudget(1000)
    with request_of("ann"), budget.reserve(500) as line, budget.reserve(300):
        line.grow(100)
        with request_of("ann"):
            assert refused(budget, 50) is None
            assert refused(budget, 51) is not None
        with request_of("bob"):
            assert refused(budget, 100) is None


def test_a_reservation_stays_in_the_share_in_which_it_began() -> None:
    known: set[str] = set()
    budget = MemoryBudget(1000, accepted=known.__contains__)
    with request_of("ann"), budget.reserve(400) as held:
        known.add("ann")
        held.grow(100)
        with request_of("made-up"):
            assert refused(budget, 250) is None
            assert refused(budget, 251) is not None
    assert budget.used == 0
    with request_of("ann"):
        assert refused(budget, 1000) is None


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
