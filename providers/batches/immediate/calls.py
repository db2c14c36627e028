"""The results of records, each from at most two calls that the provider may have begun."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from providers.batches.immediate.answerer import Answerer
from providers.batches.immediate.control import RunControl
from providers.batches.immediate.leases import Clock, LeaseLost
from providers.batches.immediate.memory import WorkingMemory
from providers.batches.immediate.stored import StoredJob, first_calls, repeat
from providers.credential import Caller
from providers.errors import FerryError
from providers.json_api.client import outcome_unknown
from providers.json_api.json_text import parse_json
from providers.status import Status
from providers.upstream import UpstreamError

# A call with an unknown outcome, or that may have begun when its owner died, is repeated once.
CALLS_OF_A_RECORD: Final = 2
# On-demand quotas are per minute and shared with the account's other calls.
RETRY_SECONDS: Final = 15 * 60.0
_REPEAT_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 60
# Random, so calls that were refused together do not repeat together.
_PAUSE: Final = wait_random_exponential(multiplier=2, min=1, max=_LONGEST_PAUSE_SECONDS)

_log: Final = logging.getLogger("genai_ferry.immediate")


class Failure(Enum):
    """The effect of a failed call."""

    NO_CALLS = auto()
    """None: no call of this caller can succeed, and the record was not read."""
    NOT_BEGUN = auto()
    """None: the same call may succeed later."""
    UNKNOWN = auto()
    """Unknown: the model may have answered, and the answer is paid for."""
    REFUSED = auto()
    """An error that is the record's result."""


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


class RetryPolicy:
    """How long one run retries when the provider accepts no call. Any answer starts it again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None

    def answered(self) -> None:
        self._since = None

    def may_retry(self) -> bool:
        """Whether to retry a call that the provider did not begin."""
        now = self._clock.monotonic()
        self._since = now if self._since is None else self._since
        return now - self._since < RETRY_SECONDS


@dataclass(frozen=True, slots=True)
class RunDependencies:
    """What all runs of one process share. `slots` limits their concurrent calls together."""

    answerer: Answerer
    memory: WorkingMemory
    clock: Clock
    slots: asyncio.Semaphore


class Call:
    """A call that is marked in the store while it may have begun: a segment's first, or a repeat.

    The first calls of a segment have one mark. It is removed if none of them may have begun.
    """

    def __init__(self, name: str, job: StoredJob, control: RunControl) -> None:
        self._name = name
        self._job = job
        self._control = control
        self._lock = asyncio.Lock()
        self._begun = 0

    async def begin(self, index: int) -> None:
        """Raises Halted, or LeaseLost if another owner called the record `index` meanwhile."""
        self._control.check_locally()
        async with self._lock:
            others = self._begun
            mark = partial(self._job.begin, self._name, self._control.owner)
            if not others and not await self._control.retry_store(mark):
                raise LeaseLost
            self._begun += 1
        # An owner that was suspended has its mark, but the next owner repeats what is under it.
        repeated = partial(self._job.has_begun, repeat(index))
        if others and await self._control.retry_store(repeated):
            raise LeaseLost

    async def forget(self) -> None:
        """The call certainly had no effect."""
        # An owner that was suspended might remove the mark of the next owner's call.
        self._control.check_lease()
        async with self._lock:
            self._begun -= 1
            if self._begun:
                return
            try:
                await self._job.forget(self._name)
            except (FerryError, OSError) as error:
                # The records then have one call less.
                _log.warning("the mark of a call was not removed: %s", type(error).__name__)


class RecordCalls:
    """The calls of one run, which `control` can stop."""

    def __init__(
        self, job: StoredJob, caller: Caller, dependencies: RunDependencies, control: RunControl
    ) -> None:
        self._job = job
        self._caller = caller
        self._answerer = dependencies.answerer
        self._slots = dependencies.slots
        self._control = control
        self._retries = RetryPolicy(dependencies.clock)
        self._earlier: Mapping[int, int] = {}

    async def look_up(self) -> None:
        """Read which calls began before this run. Must be called first."""
        self._earlier = await self._job.calls()

    def first_call(self, records: range) -> Call:
        """The first call of each record of a segment."""
        return Call(first_calls(records), self._job, self._control)

    async def result(self, index: int, line: bytes, first: Call) -> bytes:
        """The result line of a record of the segment of `first`.

        Raises Halted, LeaseLost, and CallFailed if no call can be made for this caller now.
        """
        unknown: FerryError | None = None
        for attempt in range(self._earlier.get(index, 0) + 1, CALLS_OF_A_RECORD + 1):
            if unknown is not None:
                await self._control.pause(_REPEAT_SECONDS)
            call = first if attempt == 1 else Call(repeat(index), self._job, self._control)
            try:
                return await self._call(index, line, call)
            except CallFailed as failed:
                if failed.failure is Failure.NO_CALLS:
                    raise
                if failed.failure is not Failure.UNKNOWN:
                    return self._render_failure(line, failed.error)
                unknown = failed.error
        return self._render_failure(line, unknown) if unknown else self._render_unknown(line)

    async def _call(self, index: int, line: bytes, call: Call) -> bytes:
        """One call, retried until the provider begins it or the retry policy ends."""
        tries = AsyncRetrying(
            sleep=self._control.pause,
            wait=pause_before_next,
            retry=retry_if_exception(_may_succeed_later),
        )
        result: bytes = await tries(self._try, index, line, call)
        return result

    async def _try(self, index: int, line: bytes, call: Call) -> bytes:
        record = self._job.record
        async with self._slots:
            await call.begin(index)
            try:
                result = await self._answerer.answer(
                    self._caller, record.model, record.invocation, line
                )
            except FerryError as error:
                failure = failure_of(error, self._answerer.not_begun)
                if failure is Failure.NOT_BEGUN and not self._retries.may_retry():
                    failure = Failure.REFUSED
                elif failure in (Failure.NO_CALLS, Failure.NOT_BEGUN):
                    await call.forget()
                else:
                    self._retries.answered()
                raise CallFailed(error, failure) from None
            self._retries.answered()
            return result

    def _render_failure(self, line: bytes, error: FerryError) -> bytes:
        # Without our name for the upstream, like a result of the provider's own batches.
        said = error.message.removeprefix(f"{error.provider}: ")
        return self._render_error(line, error.upstream_status or error.code, said)

    def _render_unknown(self, line: bytes) -> bytes:
        """The result of a record whose calls all lost their owners before an answer."""
        return self._render_error(
            line,
            500,
            "the outcome of this request is unknown: two calls were begun for it, the most "
            "allowed, and no answer to either was recorded",
        )

    def _render_error(self, line: bytes, code: int, message: str) -> bytes:
        line_id = parse_json(line)[self._answerer.id_member]
        return self._answerer.render_error(line_id, code, message)


def _may_succeed_later(error: BaseException) -> bool:
    return isinstance(error, CallFailed) and error.failure is Failure.NOT_BEGUN


def pause_before_next(state: RetryCallState) -> float:
    """Seconds until a call is retried that was not begun; at least a short Retry-After.

    A Retry-After that is long or a date is ignored: a try tells more.
    """
    failed = state.outcome.exception() if state.outcome else None
    said = failed.error.retry_after if isinstance(failed, CallFailed) else None
    asked = float(said) if said and said.isascii() and said.isdigit() else 0.0
    return max(_PAUSE(state), asked if asked <= _LONGEST_PAUSE_SECONDS else 0.0)
