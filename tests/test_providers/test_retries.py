from collections.abc import Awaitable, Callable, Iterator

import pytest
from tenacity import wait_fixed

from providers.deadlines import CALL_LIMITS, TimeLimits
from providers.errors import FerryError, failed_precondition, not_found
from providers.observation import Unobserved
from providers.retries import ATTEMPTS, Retries, retry_after_seconds
from providers.status import Status
from providers.upstream import UpstreamError

BROKEN = UpstreamError(Status.UNAVAILABLE, "broke off")
SILENT = UpstreamError(Status.DEADLINE_EXCEEDED, "silent")
UNSENT = UpstreamError(Status.UNAVAILABLE, "cannot be reached", unsent=True)
GONE = not_found("gone")


def throttled(retry_after: str | None = None, reason: str | None = None) -> FerryError:
    return FerryError(Status.RESOURCE_EXHAUSTED, "slow", reason=reason, retry_after=retry_after)


class Counting(Unobserved):
    retries = 0

    def call_retried(self) -> None:
        self.retries += 1


class Stage:
    """One call after another: each raises or returns the next of `script`."""

    def __init__(self, *script: FerryError | str) -> None:
        self._script: Iterator[FerryError | str] = iter(script)
        self.calls = 0
        self.pauses: list[float] = []
        self.observer = Counting()
        self.retries = Retries(self.observer, wait_fixed(1), self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def call(self) -> str:
        self.calls += 1
        step = next(self._script)
        if isinstance(step, FerryError):
            raise step
        return step


Method = Callable[[Retries, Callable[[], Awaitable[str]]], Awaitable[str | None]]
EVERY: list[Method] = [Retries.idempotent, Retries.unsent, Retries.deletion]
REPEATING: list[Method] = [Retries.idempotent, Retries.deletion]


@pytest.mark.parametrize("method", REPEATING)
@pytest.mark.parametrize("failure", [BROKEN, SILENT, UNSENT, throttled()])
async def test_an_idempotent_call_is_repeated(method: Method, failure: FerryError) -> None:
    stage = Stage(failure, failure, "done")
    assert await method(stage.retries, stage.call) == "done"
    assert (stage.calls, stage.observer.retries, stage.pauses) == (3, 2, [1, 1])


@pytest.mark.parametrize("method", REPEATING)
async def test_the_third_failure_is_the_last(method: Method) -> None:
    stage = Stage(*[BROKEN] * ATTEMPTS)
    with pytest.raises(UpstreamError) as caught:
        await method(stage.retries, stage.call)
    assert (caught.value, stage.calls) == (BROKEN, 3)


@pytest.mark.parametrize("method", EVERY)
@pytest.mark.parametrize(
    "failure",
    [
        failed_precondition("no"),
        GONE,
        throttled(reason="ServiceQuotaExceededException"),
        UpstreamError(Status.FAILED_PRECONDITION, "a wrong setting", unsent=True),
    ],
)
async def test_what_lasts_is_not_repeated(method: Method, failure: FerryError) -> None:
    stage = Stage(failure)
    with pytest.raises(FerryError) as caught:
        await method(stage.retries, stage.call)
    assert (caught.value, stage.calls, stage.observer.retries) == (failure, 1, 0)


@pytest.mark.parametrize("failure", [BROKEN, SILENT, throttled()])
async def test_a_call_that_may_have_arrived_is_not_repeated(failure: FerryError) -> None:
    stage = Stage(failure)
    with pytest.raises(FerryError):
        await stage.retries.unsent(stage.call)
    assert stage.calls == 1


async def test_a_call_that_did_not_arrive_is_repeated() -> None:
    stage = Stage(UNSENT, UNSENT, "done")
    assert await stage.retries.unsent(stage.call) == "done"
    assert stage.observer.retries == 2


@pytest.mark.parametrize("failure", [BROKEN, SILENT])
async def test_what_a_lost_deletion_has_deleted_is_deleted(failure: FerryError) -> None:
    stage = Stage(failure, GONE)
    assert await stage.retries.deletion(stage.call) is None


async def test_what_was_never_there_is_not_deleted() -> None:
    stage = Stage(UNSENT, GONE)
    with pytest.raises(FerryError) as caught:
        await stage.retries.deletion(stage.call)
    assert caught.value is GONE


# --- time ---------------------------------------------------------------------------------------


async def test_the_pause_that_a_refusal_names_is_kept() -> None:
    stage = Stage(throttled("7"), throttled("0"), "done")
    assert await stage.retries.idempotent(stage.call) == "done"
    assert stage.pauses == [7, 1]


@pytest.mark.parametrize(("retry_after", "calls"), [("4", 2), ("5", 1), ("600", 1)])
async def test_a_pause_must_fit_into_the_time_of_the_call(
    monkeypatch: pytest.MonkeyPatch, retry_after: str, calls: int
) -> None:
    monkeypatch.setattr("providers.deadlines.time.monotonic", lambda: 1000.0)
    token = CALL_LIMITS.set(TimeLimits(call=5).short_call())
    stage = Stage(throttled(retry_after), "done")
    try:
        await stage.retries.idempotent(stage.call)
    except FerryError as error:
        assert error.retry_after == retry_after  # noqa: PT017 - which of both is in the table
    CALL_LIMITS.reset(token)
    assert stage.calls == calls


async def test_a_call_without_an_end_is_not_repeated_for_long() -> None:
    stage = Stage(throttled("60"))
    with pytest.raises(FerryError):
        await stage.retries.idempotent(stage.call)
    assert stage.pauses == []


@pytest.mark.parametrize(("text", "seconds"), [(None, 0), ("7", 7)])
def test_the_seconds_of_retry_after(text: str | None, seconds: float) -> None:
    assert retry_after_seconds(throttled(text)) == seconds


async def test_a_call_that_succeeds_makes_nothing_for_repeats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would cost a tenth of a small call."""
    monkeypatch.delattr("providers.retries.AsyncRetrying")
    stage = Stage("done")
    assert await stage.retries.idempotent(stage.call) == "done"


async def test_the_time_of_the_first_attempt_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 60.0])
    monkeypatch.setattr("providers.retries.monotonic", lambda: next(times))
    stage = Stage(BROKEN, "too late")
    with pytest.raises(UpstreamError):
        await stage.retries.idempotent(stage.call)
    assert stage.calls == 1
