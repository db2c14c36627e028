import pytest

from providers import errors
from providers.errors import FerryError
from providers.status import Status


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


def test_what_may_succeed_when_it_is_sent_again() -> None:
    passing = {status for status in Status if not FerryError(status, "").permanent}
    assert passing == {
        Status.RESOURCE_EXHAUSTED,
        Status.INTERNAL,
        Status.UNKNOWN,
        Status.DATA_LOSS,
        Status.UNAVAILABLE,
        Status.DEADLINE_EXCEEDED,
    }
