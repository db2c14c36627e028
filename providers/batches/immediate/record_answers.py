"""The results of records, each from at most two calls."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from tenacity import AsyncRetrying, retry_if_exception_type

from providers.batches.immediate.job_store import ImmediateJob
from providers.batches.immediate.job_work import JobWork
from providers.batches.immediate.leases import LeaseLost
from providers.batches.immediate.record_call import (
    Failure,
    NoCalls,
    NotBegun,
    failure_of,
    pause_before_next,
)
from providers.batches.immediate.retry_policy import RetryPolicy
from providers.batches.immediate.run_control import RunControl
from providers.batches.immediate.run_dependencies import RunDependencies
from providers.credential import Caller
from providers.errors import FerryError
from providers.json_api.json_text import parse_json

# A call with an unknown outcome, or in flight when its owner died, is repeated once.
CALLS_OF_A_RECORD: Final = 2
_REPEAT_SECONDS: Final = 1.0

_log: Final = logging.getLogger("genai_ferry.immediate")


@dataclass(frozen=True, slots=True)
class RecordScope:
    """The job whose records are called, and who calls. `owner` is the lease's."""

    job: ImmediateJob
    work: JobWork
    caller: Caller
    owner: str


class CallFailed(Exception):
    """A call to the provider failed. An error of the state store is not an answer to a record."""

    def __init__(self, error: FerryError) -> None:
        super().__init__(error.status.name)
        self.error = error


class RecordAnswers:
    """The answers of one run, which `control` can stop."""

    def __init__(
        self, scope: RecordScope, dependencies: RunDependencies, control: RunControl
    ) -> None:
        self._scope = scope
        self._work = scope.work
        self._dependencies = dependencies
        self._answerer = dependencies.answerer
        self._control = control
        self._retries = RetryPolicy(dependencies.clock)
        self._begun: Mapping[int, int] = {}

    async def look_up(self) -> None:
        """Read which calls began before this run. Must be called first."""
        self._begun = await self._work.calls()

    async def result(self, index: int, line: bytes) -> bytes:
        """The result line of the record. Raises NoCalls, Halted and LeaseLost."""
        unknown: FerryError | None = None
        for attempt in range(self._begun.get(index, 0) + 1, CALLS_OF_A_RECORD + 1):
            if unknown is not None:
                await self._control.pause(_REPEAT_SECONDS)
            try:
                return await self._call(index, attempt, line)
            except CallFailed as failed:
                if self._failure_of(failed.error) is not Failure.UNKNOWN:
                    return self._render_failure(line, failed.error)
                unknown = failed.error
        return self._render_failure(line, unknown) if unknown else self._render_unknown(line)

    async def _call(self, index: int, attempt: int, line: bytes) -> bytes:
        """One call, retried until the provider begins it or the retry policy ends."""
        tries = AsyncRetrying(
            sleep=self._control.pause,
            wait=pause_before_next,
            retry=retry_if_exception_type(NotBegun),
        )
        result: bytes = await tries(self._try, index, attempt, line)
        return result

    async def _try(self, index: int, attempt: int, line: bytes) -> bytes:
        """One try. It is marked in the store unless the provider certainly did not begin it."""
        job = self._scope.job
        async with self._dependencies.slots:
            await self._mark(index, attempt)
            try:
                result = await self._answerer.answer(
                    self._scope.caller, job.model, job.invocation, line
                )
            except FerryError as error:
                failure = self._failure_of(error)
                if failure is Failure.NO_CALLS:
                    await self._forget(index, attempt)
                    raise NoCalls(error) from None
                if failure is not Failure.NOT_BEGUN:
                    self._retries.answered()
                elif self._retries.may_retry():
                    await self._forget(index, attempt)
                    raise NotBegun(error) from None
                raise CallFailed(error) from None
            self._retries.answered()
            return result

    async def _mark(self, index: int, attempt: int) -> None:
        self._control.check_locally()
        begin = partial(self._work.begin_call, index, attempt, self._scope.owner)
        if not await self._control.retry_store(begin):
            raise LeaseLost  # another owner makes this call

    async def _forget(self, index: int, attempt: int) -> None:
        """Remove the mark of a call that certainly had no effect."""
        # An owner that was suspended might remove the mark of the next owner's call.
        self._control.check_lease()
        try:
            await self._work.forget_call(index, attempt)
        except (FerryError, OSError) as error:
            # The record then has one call less.
            _log.warning("the mark of a call was not removed: %s", type(error).__name__)

    def _failure_of(self, error: FerryError) -> Failure:
        return failure_of(error, self._answerer.not_begun)

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
