import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.known_credentials import (
    ACCEPTED_SECONDS,
    MOST_ENTRIES,
    REFUSED_SECONDS,
    KnownCredentials,
)


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def known(clock: _Clock) -> KnownCredentials:
    return KnownCredentials(clock)


def test_an_unknown_credential_is_neither_accepted_nor_refused(known: KnownCredentials) -> None:
    assert not known.accepted("a")
    assert not known.refused("a")


def test_an_acceptance_is_remembered_for_five_minutes(
    known: KnownCredentials, clock: _Clock
) -> None:
    assert ACCEPTED_SECONDS == 300
    known.accept("a")
    clock.now = 299.9
    assert known.accepted("a")
    assert not known.accepted("b")
    clock.now = 300
    assert not known.accepted("a")


def test_a_refusal_is_remembered_for_ten_seconds(known: KnownCredentials, clock: _Clock) -> None:
    assert REFUSED_SECONDS == 10
    known.refuse("a")
    clock.now = 9.9
    assert known.refused("a")
    clock.now = 10
    assert not known.refused("a")


def test_a_later_acceptance_starts_the_five_minutes_again(
    known: KnownCredentials, clock: _Clock
) -> None:
    known.accept("a")
    clock.now = 200
    known.accept("a")
    clock.now = 499
    assert known.accepted("a")


@given(st.lists(st.booleans(), min_size=1))
def test_the_newest_answer_counts(answers: list[bool]) -> None:
    known = KnownCredentials()
    for accepted in answers:
        (known.accept if accepted else known.refuse)("a")
    assert known.accepted("a") is answers[-1]
    assert known.refused("a") is not answers[-1]


def test_the_oldest_entries_are_dropped_beyond_the_limit(known: KnownCredentials) -> None:
    for number in range(MOST_ENTRIES + 1):
        known.accept(str(number))
    assert not known.accepted("0")
    assert known.accepted("1")
    assert known.accepted(str(MOST_ENTRIES))


def test_refusals_never_displace_acceptances(known: KnownCredentials) -> None:
    known.accept("a")
    for number in range(MOST_ENTRIES + 1):
        known.refuse(str(number))
    assert known.accepted("a")
