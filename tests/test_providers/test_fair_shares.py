"""What one tenant can take of what all share, and what it leaves to others."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from providers.errors import FerryError
from providers.fair_shares import SHARE_USER, FairShares, ShareUser


def test_what_is_taken_is_given_back_after_an_error() -> None:
    shares = FairShares(1, "the cake")
    with pytest.raises(KeyError), shares.taken(1):
        raise KeyError
    with shares.taken(1), pytest.raises(FerryError, match="the cake is used up"), shares.taken(1):
        pass
    assert shares.used == 0


def refused(shares: FairShares, size: int) -> str | None:
    """The message with which the running request is refused `size` bytes; None if it gets them."""
    try:
        with shares.taken(size):
            return None
    except FerryError as error:
        return error.message if (error.code, error.retry_after) == (429, "1") else "another error"


@contextmanager
def request_of(tenant: str | None) -> Iterator[None]:
    token = SHARE_USER.set(ShareUser(tenant))
    try:
        yield
    finally:
        SHARE_USER.reset(token)


def flood(shares: FairShares, tenant: str | None, size: int, held: ExitStack) -> int:
    """Requests that each keep `size` bytes, until one is refused; how many there are."""
    for number in range(1000):
        with request_of(tenant):
            if refused(shares, size) is not None:
                return number
            held.enter_context(shares.taken(size))
    raise AssertionError("nothing was refused")


def test_one_tenants_flood_leaves_others_their_share() -> None:
    shares = FairShares(1000, "the cake")
    with ExitStack() as held:
        assert flood(shares, "ann", 40, held) == 13
        assert shares.used == 520
        assert flood(shares, "bob", 40, held) == 6
        assert flood(shares, "eve", 40, held) == 3
        with request_of("ann"):
            assert "your share of the cake" in (refused(shares, 40) or "")
    assert shares.used == 0


def test_keys_that_no_provider_has_accepted_have_one_share_together() -> None:
    shares = FairShares(1000, "the cake", lambda tenant: tenant == "ann")
    with ExitStack() as held:
        made_up = [flood(shares, f"made-up-{number}", 40, held) for number in range(20)]
        assert made_up == [13, *[0] * 19]
        with request_of("made-up-99"):
            assert "no provider has accepted" in (refused(shares, 40) or "")
        assert flood(shares, "ann", 40, held) == 6


def test_background_work_has_a_share_of_its_own() -> None:
    shares = FairShares(1000, "the cake", lambda _: False)
    with ExitStack() as held:
        assert flood(shares, "made-up", 40, held) == 13
        with request_of(None):
            assert refused(shares, 400) is None
            assert refused(shares, 481) is not None


def test_a_single_request_may_take_more_than_its_share() -> None:
    shares = FairShares(1000, "the cake")
    with request_of("ann"), shares.taken(600), shares.taken(300):
        with request_of("ann"):
            assert refused(shares, 50) is None
            assert refused(shares, 51) is not None
        with request_of("bob"):
            assert refused(shares, 100) is None


def test_what_began_in_a_share_ends_in_it() -> None:
    known: set[str] = set()
    shares = FairShares(1000, "the cake", known.__contains__)
    with request_of("ann"), shares.taken(500):
        known.add("ann")
        with request_of("made-up"):
            assert refused(shares, 250) is None
            assert refused(shares, 251) is not None
    assert shares.used == 0
    with request_of("ann"):
        assert refused(shares, 1000) is None
