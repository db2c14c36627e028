"""The meaning of a failed call, and when it is retried."""

import pytest
from tenacity import AsyncRetrying, Future, RetryCallState

from providers.batches.immediate.calls import (
    CallFailed,
    Failure,
    failure_of,
    pause_before_next,
)
from providers.errors import FerryError, invalid_argument, unauthenticated, unavailable
from providers.status import Status
from providers.upstream import UpstreamError
from tests.test_providers.test_batches.test_immediate.scripted_answers import ScriptedAnswers
from tests.test_providers.test_batches.test_immediate.stage import refusal

FAILURES = [
    # Before anything was sent.
    (unavailable("no keys of our own"), Failure.NO_CALLS),
    (invalid_argument("no region"), Failure.NO_CALLS),
    (unauthenticated("no keys"), Failure.NO_CALLS),
    (refusal(Status.UNAUTHENTICATED, 403, "ExpiredTokenException"), Failure.NO_CALLS),
    # The provider says that it did not start.
    (refusal(Status.RESOURCE_EXHAUSTED, 429, "ThrottlingException"), Failure.NOT_BEGUN),
    (refusal(Status.UNAVAILABLE, 429, "NotReady"), Failure.NOT_BEGUN),
    (refusal(Status.UNAVAILABLE, 503, "NotReady"), Failure.NOT_BEGUN),
    (UpstreamError(Status.UNAVAILABLE, "cannot be reached", unsent=True), Failure.NOT_BEGUN),
    (UpstreamError(Status.DEADLINE_EXCEEDED, "took no connection", unsent=True), Failure.NOT_BEGUN),
    # It may have answered.
    (refusal(Status.UNAVAILABLE, 500, "InternalServerException"), Failure.UNKNOWN),
    (refusal(Status.UNAVAILABLE, 408, "ModelTimeoutException"), Failure.UNKNOWN),
    (refusal(Status.UNAVAILABLE, 502), Failure.UNKNOWN),
    (refusal(Status.UNAVAILABLE, 503), Failure.UNKNOWN),
    (refusal(Status.DEADLINE_EXCEEDED, 504), Failure.UNKNOWN),
    (UpstreamError(Status.DEADLINE_EXCEEDED, "went silent"), Failure.UNKNOWN),
    (UpstreamError(Status.UNAVAILABLE, "broke off the connection"), Failure.UNKNOWN),
    # It has answered.
    (refusal(Status.INVALID_ARGUMENT, 400, "ValidationException"), Failure.REFUSED),
    (refusal(Status.INVALID_ARGUMENT, 424, "ModelErrorException"), Failure.REFUSED),
    (refusal(Status.PERMISSION_DENIED, 403, "AccessDeniedException"), Failure.REFUSED),
    (refusal(Status.NOT_FOUND, 404, "ResourceNotFoundException"), Failure.REFUSED),
    (refusal(Status.ABORTED, 400, "ConflictException"), Failure.REFUSED),
]


@pytest.mark.parametrize(("error", "failure"), FAILURES)
def test_the_outcome_of_a_failed_call(error: FerryError, failure: Failure) -> None:
    assert failure_of(error, ScriptedAnswers.not_begun) is failure


def pause(number: int, error: FerryError) -> float:
    state = RetryCallState(AsyncRetrying(), None, (), {})
    state.attempt_number = number
    state.outcome = Future(number)
    state.outcome.set_exception(CallFailed(error, Failure.NOT_BEGUN))
    return pause_before_next(state)


def test_retry_delays_grow_at_random_up_to_a_minute() -> None:
    error = refusal(Status.RESOURCE_EXHAUSTED, 429)
    for number in range(1, 20):
        delays = [pause(number, error) for _ in range(50)]
        assert 1 <= min(delays) < max(delays) <= min(2.0**number, 60)


@pytest.mark.parametrize(
    ("said", "most"),
    [("40", 40), ("0", 2), ("3600", 2), (None, 2)],
)
def test_a_short_retry_after_is_kept(said: str | None, most: float) -> None:
    error = FerryError(Status.RESOURCE_EXHAUSTED, "no", provider="acme", retry_after=said)
    assert 1 <= pause(1, error) <= most
    assert (pause(1, error) == 40) is (said == "40")
