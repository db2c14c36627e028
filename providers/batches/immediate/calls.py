"""Calls for single records: who answers them, what a failure means, how long a call is retried."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final, ParamSpec, Protocol, TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
    wait_random_exponential,
)

from providers.batches.immediate.clock import Clock
from providers.batches.immediate.leases import Lease
from providers.batches.immediate.memory import WorkingMemory
from providers.batches.immediate.stored import StoredJob
from providers.credential import Caller
from providers.errors import FerryError
from providers.json_api.client import outcome_unknown
from providers.json_api.json_text import parse_own_json
from providers.observation import Observer
from providers.resources import BatchState
from providers.retries import retry_after_seconds
from providers.status import Status
from providers.upstream import UpstreamError

# A call with an unknown outcome, or that may have begun when its owner died, is repeated once.
CALLS_OF_A_RECORD: Final = 2
# On-demand quotas are per minute and shared with the account's other calls.
RETRY_SECONDS: Final = 15 * 60.0
_PAUSE_SECONDS_CAP: Final = 60
# Random, so calls that were refused together do not repeat together.
_PAUSE: Final = wait_random_exponential(multiplier=2, min=1, max=_PAUSE_SECONDS_CAP)
_UNKNOWN: Final = (
    "the outcome of this request is unknown: it may have been sent twice, the most allowed, and no "
    "answer was recorded"
)
_STORE_TRIES: Final = 5
_FIRST_PAUSE_SECONDS: Final = 1.0
_STORE_PAUSE_SECONDS_CAP: Final = 30.0

T = TypeVar("T")
P = ParamSpec("P")


class Answerer(Protocol):
    """What a provider supplies: it answers one line of its batch input with one of its results.

    `id_member` is the member of both lines that names the request. Lines of errors begin with
    `error_head`, and no others, so a reader need not parse the whole line. `status_words` are the
    provider's own words for the state of a batch. `not_begun` are the reasons of errors with which
    no model has begun the request. A provider may have several formats of lines; `form` is the name
    of one of them.
    """

    id_member: str
    error_head: bytes
    status_words: Mapping[BatchState, str]
    not_begun: frozenset[str]

    async def check(self, caller: Caller) -> None:
        """Raises the error of wrong headers or keys; sends nothing."""

    async def answer(self, caller: Caller, model: str, form: str, line: bytes, /) -> bytes:
        """The result line, from one attempt. Raises FerryError.

        An error without a provider that is not an UpstreamError was raised before sending.
        """

    def render_error(self, line_id: str, code: int, message: str, /) -> bytes:
        """A result line; `code` is an HTTP status."""

    def plain(self, line: dict[str, Any], form: str, /) -> dict[str, Any] | None:
        """As `translate`, in less time, if the answer is one text; None for any other line."""

    def translate(self, line: dict[str, Any], form: str, /) -> dict[str, Any]:
        """One result line as `{"response"}` or `{"error"}`; never raises."""


@dataclass(frozen=True, slots=True)
class RunDependencies:
    """What all runs of one process share. `slots` limits their concurrent calls together."""

    answerer: Answerer
    memory: WorkingMemory
    clock: Clock
    slots: asyncio.Semaphore
    observer: Observer


class Failure(Enum):
    """The effect of a failed call."""

    NO_CALLS = auto()  # none: no call of this caller can succeed, and the record was not read
    NOT_BEGUN = auto()  # none: the same call may succeed later
    UNKNOWN = auto()  # unknown: the model may have answered, and the answer is paid for
    REFUSED = auto()  # an error that is the record's result


def failure_of(error: FerryError, not_begun: frozenset[str]) -> Failure:
    """`not_begun` is that of `Answerer`."""
    if isinstance(error, UpstreamError):
        return Failure.NOT_BEGUN if error.unsent else Failure.UNKNOWN
    if error.provider is None or error.status == Status.UNAUTHENTICATED:
        return Failure.NO_CALLS
    if error.status == Status.RESOURCE_EXHAUSTED or error.reason in not_begun:
        return Failure.NOT_BEGUN
    return Failure.UNKNOWN if outcome_unknown(error) else Failure.REFUSED


class CallFailed(Exception):
    """A call to the provider failed. An error of the state store is not an answer to a record."""

    def __init__(self, error: FerryError, failure: Failure) -> None:
        super().__init__(error.status.name)
        self.error = error
        self.failure = failure


@dataclass(eq=False, slots=True)
class SegmentAttempt:
    """An attempt at the records of a segment that have no result, `left` of them.

    `in_doubt` are records whose call may have begun and that have no recorded result. `answers`
    wait to be recorded. `memory` is held until all of them are.
    """

    records: range
    number: int
    memory: ExitStack
    left: int
    marked: bool = False
    in_doubt: set[int] = field(default_factory=set)
    answers: dict[int, bytes] = field(default_factory=dict)


class Halted(Exception):
    """No further call of this job may begin."""


class Calls:
    """The calls of one run, until it is halted, its job is cancelled or its lease is lost."""

    def __init__(
        self, job: StoredJob, lease: Lease, caller: Caller, dependencies: RunDependencies
    ) -> None:
        self._job = job
        self._lease = lease
        self._caller = caller
        self._slots = dependencies.slots
        self._answerer = dependencies.answerer
        self._observer = dependencies.observer
        self._clock = dependencies.clock
        self.halted = asyncio.Event()
        self._refused_since: float | None = None

    async def check(self) -> None:
        """Raises Halted, also if any replica has cancelled the job, or LeaseLost."""
        if not self.halted.is_set() and await self.retry_store(self._job.cancelled):
            self.halted.set()
        self._lease.check()
        if self.halted.is_set():
            raise Halted

    async def wait(self, seconds: float) -> None:
        """Returns early if the run is halted."""
        waits = [
            asyncio.ensure_future(each) for each in (self.halted.wait(), self._clock.wait(seconds))
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def pause(self, seconds: float) -> None:
        """Raises as `check` does."""
        await self.wait(seconds)
        await self.check()

    async def retry_store(
        self, ask: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Ask the store, with retries: a failure would end the calls in flight."""
        tries = AsyncRetrying(
            sleep=self._clock.wait,
            stop=stop_after_attempt(_STORE_TRIES),
            wait=wait_exponential_jitter(_FIRST_PAUSE_SECONDS, _STORE_PAUSE_SECONDS_CAP),
            retry=retry_if_exception(_store_recovers),
            reraise=True,
        )
        answer: T = await tries(ask, *args, **kwargs)
        return answer

    async def result(self, index: int, line: bytes, attempt: SegmentAttempt) -> bytes | None:
        """The result line of a record; None if its outcome is unknown and it may be called again.

        Raises Halted, LeaseLost, and CallFailed if no call can be made for this caller now.
        """
        if attempt.number > 1:
            self._observer.call_retried()
        tries = AsyncRetrying(
            sleep=self.pause,
            wait=pause_before_next,
            retry=retry_if_exception(_may_succeed_later),
            before_sleep=lambda _: self._observer.call_retried(),
        )
        try:
            result: bytes = await tries(self._try, index, line, attempt)
        except CallFailed as failed:
            if failed.failure is Failure.NO_CALLS:
                raise
            if failed.failure is Failure.UNKNOWN and attempt.number < CALLS_OF_A_RECORD:
                return None
            error = failed.error
            # Without our name for the upstream, like a result of the provider's own batches.
            said = error.message.removeprefix(f"{error.provider}: ")
            return self._render_error(line, error.upstream_status or error.code, said)
        return result

    def render_unknown(self, line: bytes) -> bytes:
        """The result of a record whose calls all lost their owners before an answer."""
        return self._render_error(line, 500, _UNKNOWN)

    async def _try(self, index: int, line: bytes, attempt: SegmentAttempt) -> bytes:
        record = self._job.record
        async with self._slots:
            await self.retry_store(self._lease.confirm)
            await self.check()
            attempt.in_doubt.add(index)
            try:
                result = await self._answerer.answer(
                    self._caller, record.model, record.invocation, line
                )
            except FerryError as error:
                failure = failure_of(error, self._answerer.not_begun)
                if failure in (Failure.NO_CALLS, Failure.NOT_BEGUN):
                    attempt.in_doubt.remove(index)
                if failure is Failure.NOT_BEGUN:
                    failure = self._while_refused(failure)
                elif failure is not Failure.NO_CALLS:
                    self._refused_since = None
                raise CallFailed(error, failure) from None
            self._refused_since = None
            return result

    def _while_refused(self, failure: Failure) -> Failure:
        """Calls that the provider does not begin are retried for some time after any answer."""
        now = self._clock.monotonic()
        self._refused_since = now if self._refused_since is None else self._refused_since
        return failure if now - self._refused_since < RETRY_SECONDS else Failure.REFUSED

    def _render_error(self, line: bytes, code: int, message: str) -> bytes:
        line_id = parse_own_json(line)[self._answerer.id_member]
        return self._answerer.render_error(line_id, code, message)


def _store_recovers(error: BaseException) -> bool:
    return isinstance(error, OSError) or (isinstance(error, FerryError) and not error.permanent)


def _may_succeed_later(error: BaseException) -> bool:
    return isinstance(error, CallFailed) and error.failure is Failure.NOT_BEGUN


def pause_before_next(state: RetryCallState) -> float:
    """Seconds until a call is retried that was not begun; at least a short Retry-After.

    A long Retry-After is ignored: a try tells more.
    """
    failed = state.outcome.exception() if state.outcome else None
    asked = retry_after_seconds(failed.error) if isinstance(failed, CallFailed) else 0.0
    return max(_PAUSE(state), asked if asked <= _PAUSE_SECONDS_CAP else 0.0)
