import pytest

from providers import pagings
from providers.pagings import KEPT_SECONDS, Pagings, split_token, token_in

ONE, OTHER = (("ann", "files", name * 16) for name in "ab")
NAMES = frozenset({"x", "y"})


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_names_of_a_paging_are_kept_for_a_while() -> None:
    time = Time()
    kept = Pagings[frozenset[str]](time)
    kept.keep(ONE, NAMES)
    time.now = KEPT_SECONDS - 1
    assert kept.names(ONE) == NAMES
    assert kept.names(OTHER) is None
    time.now = KEPT_SECONDS
    assert kept.names(ONE) is None


def test_tenants_and_kinds_have_their_own() -> None:
    kept = Pagings[frozenset[str]]()
    kept.keep(ONE, NAMES)
    assert kept.names(("bob", *ONE[1:])) is None
    assert kept.names(("ann", "batches", ONE[2])) is None


def test_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagings, "MOST_KEPT", 5)
    kept = Pagings[frozenset[str]]()
    for number in range(4):
        kept.keep((str(number), *ONE[1:]), NAMES)
    found = [kept.names((str(number), *ONE[1:])) for number in range(4)]
    assert found == [None, None, NAMES, NAMES]


def test_more_than_the_limit_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagings, "MOST_KEPT", 1)
    kept = Pagings[frozenset[str]]()
    kept.keep(ONE, NAMES)
    assert kept.names(ONE) is None
    kept.keep(OTHER, frozenset({"x"}))
    assert kept.names(OTHER) == frozenset({"x"})


def test_what_is_kept_for_too_long_takes_no_memory() -> None:
    time = Time()
    kept = Pagings[frozenset[str]](time)
    kept.keep(ONE, NAMES)
    time.now = KEPT_SECONDS
    kept.keep(OTHER, NAMES)
    assert list(kept._read) == [OTHER]


def test_a_token_leads_back_to_its_paging_and_the_providers_token() -> None:
    token = token_in("0123456789abcdef", "after.this\n")
    assert token is not None
    assert split_token(token) == ("0123456789abcdef", "after.this\n")
    assert token_in("0123456789abcdef", None) is None


@pytest.mark.parametrize("token", ["abc", "batch_0123456789abcdef.x", "0123456789abcdef."])
def test_a_token_of_an_earlier_version_is_the_providers(token: str) -> None:
    paging, providers = split_token(token)
    assert (len(paging), providers) == (16, token)
    assert split_token(token)[0] != paging
