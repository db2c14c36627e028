import pytest

from providers import errors
from providers.errors import HTTP_OF_STATUS, FerryError


@pytest.mark.parametrize("status", HTTP_OF_STATUS)
def test_every_status_has_its_code(status: str) -> None:
    error = FerryError(status, "text", path="a.b")
    assert (error.code, error.message) == (HTTP_OF_STATUS[status], "a.b: text")


@pytest.mark.parametrize(
    ("make", "status"),
    [
        (errors.invalid_argument, "INVALID_ARGUMENT"),
        (errors.failed_precondition, "FAILED_PRECONDITION"),
        (errors.unauthenticated, "UNAUTHENTICATED"),
        (errors.not_found, "NOT_FOUND"),
        (errors.already_exists, "ALREADY_EXISTS"),
        (errors.resource_exhausted, "RESOURCE_EXHAUSTED"),
        (errors.unimplemented, "UNIMPLEMENTED"),
        (errors.unavailable, "UNAVAILABLE"),
    ],
)
def test_the_vocabulary(make: object, status: str) -> None:
    assert callable(make)
    assert make("text").status == status


def test_what_may_succeed_when_it_is_sent_again() -> None:
    passing = {status for status in HTTP_OF_STATUS if not FerryError(status, "").permanent}
    assert passing == {"RESOURCE_EXHAUSTED", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"}
