import pytest

from providers.tenancy import pagings
from providers.tenancy.pagings import KEPT_SECONDS, PagingId, Pagings, split_token, token_in

ONE, OTHER = (PagingId("ann", "files", name * 16) for name in "ab")
KEYS = frozenset({"x", "y"})


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_keys_of_a_paging_are_kept_for_a_while() -> None:
    time = Time()
    kept = Pagings(time)
    kept.keep(ONE, KEYS)
    time.now = KEPT_SECONDS - 1
    assert kept.keys(ONE) == KEYS
    assert kept.keys(OTHER) is None
    time.now = KEPT_SECONDS
    assert kept.keys(ONE) is None


def test_tenants_and_kinds_have_their_own() -> None:
    kept = Pagings()
    kept.keep(ONE, KEYS)
    assert kept.keys(ONE._replace(tenant="bob")) is None
    assert kept.keys(ONE._replace(kind="batches")) is None


def test_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagings, "MOST_KEPT", 5)
    kept = Pagings()
    for number in range(4):
        kept.keep(ONE._replace(tenant=str(number)), KEYS)
    found = [kept.keys(ONE._replace(tenant=str(number))) for number in range(4)]
    assert found == [None, None, KEYS, KEYS]


def test_more_than_the_limit_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagings, "MOST_KEPT", 1)
    kept = Pagings()
    kept.keep(ONE, KEYS)
    assert kept.keys(ONE) is None
    kept.keep(OTHER, frozenset({"x"}))
    assert kept.keys(OTHER) == {"x"}


def test_what_is_kept_for_too_long_takes_no_memory() -> None:
    time = Time()
    kept = Pagings(time)
    kept.keep(ONE, KEYS)
    time.now = KEPT_SECONDS
    kept.keep(OTHER, KEYS)
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
