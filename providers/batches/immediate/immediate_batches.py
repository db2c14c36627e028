"""Batches that the proxy runs itself because they are too small for the provider."""

from dataclasses import dataclass, field
from typing import Any, Final

from providers.batches.ended_results import EndedResults
from providers.batches.immediate.answerer import Answerer
from providers.batches.immediate.job_creation import NewImmediateJob
from providers.batches.immediate.job_ids import job_id_of
from providers.batches.immediate.job_list import ListedJobs, Position
from providers.batches.immediate.job_results import JobResults
from providers.batches.immediate.jobs import FoundJob, ImmediateJobs
from providers.batches.request_table import RowKind
from providers.credential import Caller
from providers.errors import NotFound
from providers.resources import Batch, BatchState, Failure
from providers.status import Status

_STOPPED: Final = Failure(
    Status.CANCELLED, "The batch was cancelled before this request was answered."
)
_NEVER: Final = Failure(Status.INTERNAL, "The batch ended without an answer to this request.")


@dataclass(frozen=True, slots=True)
class ImmediateBatch:
    """Implements `providers.batches.batch_target.FoundBatch`."""

    jobs: ImmediateJobs
    answerer: Answerer
    caller: Caller = field(repr=False)
    found: FoundJob = field(repr=False)

    @property
    def batch(self) -> Batch:
        return self.found.batch

    async def cancel(self) -> None:
        await self.jobs.cancel(self.caller, self.batch.id)

    async def delete(self) -> None:
        await self.jobs.delete(self.caller, self.batch.id)

    async def delete_results(self) -> None:
        await self.jobs.delete_results(self.caller, self.batch.id)

    async def results(self) -> EndedResults | None:
        try:
            results = await self.jobs.results(self.found)
        except NotFound:
            return None
        return EndedResults(
            inline=self.found.job.rows is RowKind.METADATA,
            lines=_ImmediateLines(results, self.answerer),
            files=results,
            table=results.table,
            exist=_complete,
        )


async def _complete() -> bool:
    """An immediate batch that ended has a result for each request."""
    return True


class ImmediateBatches:
    """The immediate batches of one upstream.

    Nothing is stored at the provider, but every call checks the caller's headers and key, as for a
    batch of the provider.
    """

    def __init__(self, answerer: Answerer, jobs: ImmediateJobs) -> None:
        self._answerer = answerer
        self._jobs = jobs

    async def create(self, caller: Caller, job_id: str, new: NewImmediateJob) -> ImmediateBatch:
        found = await self._jobs.create(caller, job_id, new)
        return ImmediateBatch(self._jobs, self._answerer, caller, found)

    async def find(self, caller: Caller, batch_id: str) -> ImmediateBatch:
        await self._answerer.check(caller)
        found = await self._jobs.look_up(caller, batch_id)
        return ImmediateBatch(self._jobs, self._answerer, caller, found)

    async def find_attempt(self, caller: Caller, job: str) -> ImmediateBatch | None:
        """The batch that an earlier attempt created under our id `job`."""
        try:
            return await self.find(caller, job_id_of(job))
        except NotFound:
            return None

    async def list(self, caller: Caller, after: Position | None, limit: int) -> ListedJobs:
        await self._answerer.check(caller)
        return await self._jobs.list(caller, after, limit)


class _ImmediateLines:
    """Implements `providers.batches.batch_results.ResultLines`."""

    def __init__(self, found: JobResults, answerer: Answerer) -> None:
        self.id_member = answerer.id_member
        self._answerer = answerer
        self.slices = found.lines
        self._invocation = found.job.invocation
        self._state = found.batch.state

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return self._answerer.translate(line, self._invocation)

    def missing(self, _: int, /) -> Failure:
        return _STOPPED if self._state is BatchState.CANCELLED else _NEVER
