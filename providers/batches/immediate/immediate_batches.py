"""Batches that the proxy runs itself because they are too small for the provider."""

from functools import partial
from typing import Any, Final

from providers.batches.batch_backends import FoundBatch
from providers.batches.ended_results import EndedResults
from providers.batches.immediate.answerer import Answerer
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


class ImmediateBatches:
    """Implements `providers.batches.batch_backends.BatchBackend`, and lists.

    Nothing here is stored at the provider, but every call checks the caller's headers and key, as
    for a batch of the provider.
    """

    def __init__(self, answerer: Answerer, jobs: ImmediateJobs) -> None:
        self._answerer = answerer
        self._jobs = jobs

    async def look_up(self, caller: Caller, batch_id: str) -> FoundBatch:
        await self._answerer.check(caller)
        found = await self._jobs.look_up(caller, batch_id)
        return FoundBatch(found.batch, partial(self._results, found))

    async def find(self, caller: Caller, job: str) -> Batch | None:
        """The batch that an earlier attempt created under our id `job`."""
        try:
            return (await self.look_up(caller, job_id_of(job))).batch
        except NotFound:
            return None

    async def list(self, caller: Caller, after: Position | None, limit: int) -> ListedJobs:
        await self._answerer.check(caller)
        return await self._jobs.list(caller, after, limit)

    async def cancel(self, caller: Caller, batch_id: str) -> None:
        await self._answerer.check(caller)
        await self._jobs.cancel(caller, batch_id)

    async def delete(self, caller: Caller, batch_id: str) -> None:
        await self._answerer.check(caller)
        await self._jobs.delete(caller, batch_id)

    async def delete_results(self, caller: Caller, batch_id: str) -> None:
        await self._answerer.check(caller)
        await self._jobs.delete_results(caller, batch_id)

    async def _results(self, found: FoundJob) -> EndedResults:
        results = await self._jobs.results(found)
        return EndedResults(
            inline=found.job.rows is RowKind.METADATA,
            lines=_ImmediateLines(results, self._answerer),
            files=results,
            table=results.table,
        )


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
