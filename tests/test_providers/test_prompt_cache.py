import pytest

from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.prompt_cache import CACHE_HEADER, CacheLife, requested_cache


def caller(**headers: str) -> Caller:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Caller(Credential("key"), "tenant", named)


@pytest.mark.parametrize("life", CacheLife)
def test_the_header_says_how_long(life: CacheLife) -> None:
    assert requested_cache(caller(x_ferry_anthropic_cache=str(life))) is life


def test_nothing_is_asked_for_without_it() -> None:
    assert requested_cache(caller()) is None


@pytest.mark.parametrize("value", ["", "1H", "2h", "5m,1h", "true"])
def test_another_value_is_refused(value: str) -> None:
    with pytest.raises(FerryError, match=rf"^{CACHE_HEADER} must be 5m or 1h$"):
        requested_cache(caller(x_ferry_anthropic_cache=value))
