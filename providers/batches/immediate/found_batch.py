"""A job in the neutral model: as a batch, and with its results if it has ended."""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from providers.batches.batch_results import CANCELLED
from providers.batches.ended_results import EndedResults
from providers.batches.immediate.answerer import Answerer
from providers.batches.immediate.job_store import (
    Ending,
    ImmediateJob,
    JobKey,
    JobStore,
    table_name,
)
from providers.batches.immediate.leases import Progress
from providers.batches.json_lines import ResultLine, ResultSplitter
from providers.batches.request_table import RequestTable, RowKind
from providers.body import Body, close
from providers.errors import FerryError, not_found
from providers.memory import Reservation
from providers.resources import Batch, BatchState, Counts, Failure
from providers.status import Status

_NEVER: Final = Failure(Status.INTERNAL, "The batch ended without an answer to this request.")


@dataclass(frozen=True, slots=True)
class BatchParts:
    """What all immediate batches of one upstream share."""

    store: JobStore
    answerer: Answerer
    splitter: ResultSplitter


class ImmediateBatch:
    """Implements `FoundBatch`, `ResultLines` and `ResultFiles`.

    `ending` is None if the job has not ended. `cancelled()` is called after a cancel.
    """

    def __init__(
        self,
        parts: BatchParts,
        key: JobKey,
        job: ImmediateJob,
        ending: Ending | None,
        batch: Batch,
        cancelled: Callable[[], None],
    ) -> None:
        self.batch = batch
        self.job = job
        self.id_member = parts.answerer.id_member
        self._parts = parts
        self._key = key
        self._ending = ending
        self._work = parts.store.work(key, job)
        self._cancelled = cancelled

    async def cancel(self) -> None:
        """Calls in flight end, others do not begin. The replica with the lease ends the job."""
        await self._work.cancel()
        self._cancelled()

    async def delete(self) -> None:
        await self._parts.store.delete(self._key, self.job)

    async def delete_results(self) -> None:
        if self._ending is not None:
            await self._work.delete_output(self._ending.output)

    async def results(self) -> EndedResults | None:
        if self._ending is None or not await self._work.has_output(self._ending.output):
            return None
        inline = self.job.rows is RowKind.METADATA
        return EndedResults(inline, self, self, self._table, _complete)

    # --- read by the results ---------------------------------------------------------------------

    async def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        async with aclosing(self.files()) as files:
            async for file in files:
                async with aclosing(self._parts.splitter.split(file.chunks)) as slices:
                    async for lines in slices:
                        yield lines

    async def files(self) -> AsyncGenerator[Body, None]:
        """One file, as the provider's own batches have it."""
        body = await self._work.output(self._ending.output) if self._ending else None
        if body is None:
            raise not_found(f"batches/{self._key.job_id} has no results")
        try:
            yield body
        finally:
            await close(body)

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return self._parts.answerer.translate(line, self.job.invocation)

    def missing(self, _: int, /) -> Failure:
        return CANCELLED if self.batch.state is BatchState.CANCELLED else _NEVER

    async def _table(self, reservation: Reservation) -> RequestTable:
        name = table_name(self._key, self.job)
        table = await self._parts.store.tables.read(name, reservation)
        if table is None:
            raise no_job(self._key.job_id)  # the sweep is deleting the job
        return table


async def _complete() -> bool:
    """An immediate batch that ended has a result for each request, or a known reason for none."""
    return True


def no_job(job_id: str) -> FerryError:
    return not_found(f"batches/{job_id} was not found")


def batch_of(
    job_id: str,
    job: ImmediateJob,
    state: BatchState,
    progress: Progress,
    started: datetime | None,
    ended: datetime | None,
    words: Mapping[BatchState, str],
) -> Batch:
    """`words` are the `status_words` of `Answerer`."""
    counts = Counts(job.count, progress.answered - progress.failed, progress.failed)
    return Batch(
        id=job_id,
        kind=job.kind,
        state=state,
        native_status=words[state],
        model=job.model,
        display_name=job.display_name,
        create_time=job.created,
        start_time=started,
        end_time=ended,
        counts=counts,
        failure=_cancelled(counts) if state is BatchState.CANCELLED else None,
        warnings=job.warnings,
    )


def _cancelled(counts: Counts) -> Failure:
    left = f"{counts.pending} of its {counts.total} requests were not answered"
    return Failure(Status.CANCELLED, f"The batch was cancelled: {left}.")
