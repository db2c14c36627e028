"""The result of one record after the other, each by at most two calls."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import orjson
from tenacity import AsyncRetrying, retry_if_exception_type

from providers.bedrock.immediate.job_store import ImmediateJob
from providers.bedrock.immediate.job_work import JobWork
from providers.bedrock.immediate.leases import LeaseLost
from providers.bedrock.immediate.record_call import (
    Failure,
    NoCalls,
    NotBegun,
    failure_of,
    pause_before_next,
)
from providers.bedrock.immediate.result_line import render_error, render_output
from providers.bedrock.immediate.retry_policy import RetryPolicy
from providers.bedrock.immediate.run_control import RunControl
from providers.bedrock.immediate.run_dependencies import RunDependencies
from providers.credential import Caller
from providers.errors import FerryError
from providers.json_api.json_text import parse_json, render_json

# One whose outcome is not known, or that was in flight when an owner died, is repeated once.
CALLS_OF_A_RECORD: Final = 2
_REPEAT_SECONDS: Final = 1.0

_log: Final = logging.getLogger("genai_ferry.bedrock")


@dataclass(frozen=True, slots=True)
class RecordScope:
    """Who asks for whose records. `owner` is of the lease that the job is run under."""

    job: ImmediateJob
    work: JobWork
    caller: Caller
    owner: str


class CallFailed(Exception):
    """A call of Bedrock's that failed. What fails in the state store is no answer to a record."""

    def __init__(self, error: FerryError) -> None:
        super().__init__(error.status.name)
        self.error = error


class RecordAnswers:
    """Of one run; it goes on as its `control` does."""

    def __init__(
        self, scope: RecordScope, dependencies: RunDependencies, control: RunControl
    ) -> None:
        self._scope = scope
        self._work = scope.work
        self._dependencies = dependencies
        self._control = control
        self._retries = RetryPolicy(dependencies.clock)
        self._begun: Mapping[int, int] = {}

    async def look_up(self) -> None:
        """First of all: which calls were begun before this run."""
        self._begun = await self._work.calls()

    async def result(self, index: int, line: bytes) -> bytes:
        """The line that answers the record. Raises NoCalls, Halted, and LeaseLost."""
        record = parse_json(line)
        record_id, model_input = record["recordId"], record["modelInput"]
        sent = render_json(model_input)
        unknown: FerryError | None = None
        for attempt in range(self._begun.get(index, 0) + 1, CALLS_OF_A_RECORD + 1):
            if unknown is not None:
                await self._control.pause(_REPEAT_SECONDS)
            try:
                output = await self._call(index, attempt, sent)
            except CallFailed as failed:
                if failure_of(failed.error) is not Failure.UNKNOWN:
                    return _render_failure(record_id, failed.error)
                unknown = failed.error
            else:
                return _render_answer(record_id, output, model_input)
        return _render_failure(record_id, unknown) if unknown else render_unknown_outcome(record_id)

    async def _call(self, index: int, attempt: int, model_input: bytes) -> bytes:
        """One call, tried until Bedrock begins it or patience ends."""
        tries = AsyncRetrying(
            sleep=self._control.pause,
            wait=pause_before_next,
            retry=retry_if_exception_type(NotBegun),
        )
        output: bytes = await tries(self._try, index, attempt, model_input)
        return output

    async def _try(self, index: int, attempt: int, model_input: bytes) -> bytes:
        """Marked in the store for as long as Bedrock may be at work on it, or has been."""
        job = self._scope.job
        async with self._dependencies.slots:
            await self._mark(index, attempt)
            try:
                output = await self._dependencies.call(
                    self._scope.caller, job.model, job.invocation, model_input
                )
            except FerryError as error:
                failure = failure_of(error)
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
            return output

    async def _mark(self, index: int, attempt: int) -> None:
        self._control.check_locally()
        begin = partial(self._work.begin_call, index, attempt, self._scope.owner)
        if not await self._control.retry_store(begin):
            raise LeaseLost  # another owner makes this call

    async def _forget(self, index: int, attempt: int) -> None:
        """Take a call back that certainly did nothing."""
        # Who has slept since might take back what the next owner has begun.
        self._control.check_lease()
        try:
            await self._work.forget_call(index, attempt)
        except (FerryError, OSError) as error:
            # The record has a call less then.
            _log.warning("a call could not be taken back: %s", type(error).__name__)


def render_unknown_outcome(record_id: str) -> bytes:
    """The result of a record whose calls all began under owners that ended before the answer."""
    return render_error(
        record_id,
        500,
        "the outcome of this request is unknown: two calls were begun for it, as many as may be, "
        "and no answer to either was recorded",
    )


def _render_answer(record_id: str, output: bytes, model_input: object) -> bytes:
    try:
        return render_output(record_id, output, model_input)
    except (ValueError, orjson.JSONEncodeError):
        message = "the model's answer is no JSON object, or one that is nested too deeply"
        return render_error(record_id, 503, message)


def _render_failure(record_id: str, error: FerryError) -> bytes:
    # Without our own name for the upstream: as a job's line would say it.
    said = error.message.removeprefix(f"{error.provider}: ")
    return render_error(record_id, error.upstream_status or error.code, said)
