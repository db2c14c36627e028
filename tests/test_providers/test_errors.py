from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from providers import errors
from providers.errors import FerryError, NotFound
from providers.gemini.refusal import GoogleRefusal
from providers.state import StateError
from providers.status import Status
from providers.upstream import UpstreamError


@pytest.mark.parametrize("status", Status)
def test_every_status_has_its_code(status: Status) -> None:
    error = FerryError(status, "text", path="a.b")
    assert (error.code, error.message) == (status.http, "a.b: text")


@pytest.mark.parametrize(
    ("make", "status"),
    [
        (errors.invalid_argument, Status.INVALID_ARGUMENT),
        (errors.failed_precondition, Status.FAILED_PRECONDITION),
        (errors.unauthenticated, Status.UNAUTHENTICATED),
        (errors.not_found, Status.NOT_FOUND),
        (errors.already_exists, Status.ALREADY_EXISTS),
        (errors.resource_exhausted, Status.RESOURCE_EXHAUSTED),
        (errors.unimplemented, Status.UNIMPLEMENTED),
        (errors.unavailable, Status.UNAVAILABLE),
    ],
)
def test_the_vocabulary(make: object, status: Status) -> None:
    assert callable(make)
    assert make("text").status == status


def test_errors_that_may_succeed_on_a_retry() -> None:
    passing = {status for status in Status if not FerryError(status, "").permanent}
    assert passing == {
        Status.RESOURCE_EXHAUSTED,
        Status.INTERNAL,
        Status.UNKNOWN,
        Status.DATA_LOSS,
        Status.UNAVAILABLE,
        Status.DEADLINE_EXCEEDED,
    }


def test_an_error_is_raised_through_generators_unchanged() -> None:
    error = UpstreamError(Status.UNAVAILABLE, "away", unsent=True)
    with pytest.raises(UpstreamError) as caught, contextmanager(_raising)():
        raise error from ValueError()
    assert caught.value is error
    error.add_note("seen")
    changing: Any = error
    for name in ("args", "status", "message", "code", "path", "provider", "unsent"):
        before = getattr(error, name)
        with pytest.raises(AttributeError):
            setattr(changing, name, "other")
        assert getattr(error, name) == before


def _raising() -> Iterator[None]:
    yield


def test_an_error_can_be_copied_with_changes() -> None:
    error = UpstreamError(Status.UNAVAILABLE, "away", unsent=True)
    named = error.naming("openai").adding("; so it is")
    assert (type(named), named.unsent, named.provider) == (UpstreamError, True, "openai")
    assert (named.message, named.status) == ("away; so it is", Status.UNAVAILABLE)
    assert (error.message, error.provider) == ("away", None)


@pytest.mark.parametrize(
    "error",
    [
        StateError(Status.UNAVAILABLE, "no", path="a", request_id="1", upload_status="final"),
        UpstreamError(Status.UNAVAILABLE, "no", unsent=True),
        GoogleRefusal(Status.UNKNOWN, "no", upstream_status=418, retry_after="7"),
    ],
)
def test_all_other_fields_are_copied(error: FerryError) -> None:
    copy = error.adding("")
    assert (type(copy), vars(copy), copy.args) == (type(error), vars(error), error.args)


def test_not_found_can_be_caught_by_type() -> None:
    for error in (
        errors.not_found("no"),
        FerryError(Status.NOT_FOUND, "no", provider="openai"),
        errors.unavailable("no").restated(Status.NOT_FOUND),
        errors.not_found("no").adding(" more"),
    ):
        assert type(error) is NotFound
    assert type(errors.not_found("no").restated(Status.ABORTED)) is FerryError


def test_retry_after_survives_rewording() -> None:
    error = errors.FerryError(Status.RESOURCE_EXHAUSTED, "slow", retry_after="7")
    for reworded in (error.naming("p"), error.adding("!"), error.restated(Status.UNAVAILABLE)):
        assert reworded.retry_after == "7"
