import pytest

from providers.json_api.redaction import secret_removed
from providers.status import Status
from providers.upstream import UpstreamError
from tests.test_providers.answering import CALLER

SECRET = CALLER.credential.secret


def test_the_callers_key_is_removed_from_an_error() -> None:
    quoted = UpstreamError(Status.UNAVAILABLE, f"bad key {SECRET}", reason=f"at {SECRET}")
    with pytest.raises(UpstreamError) as raised, secret_removed(CALLER):
        raise quoted
    assert (raised.value.status, raised.value.message) == (Status.UNAVAILABLE, "bad key ***")
    assert raised.value.reason == "at ***"
    assert raised.value.__cause__ is None


def test_another_error_is_raised_as_it_is() -> None:
    with pytest.raises(ValueError, match=SECRET), secret_removed(CALLER):
        raise ValueError(SECRET)
