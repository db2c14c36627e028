"""A job in the neutral model: as a batch, and with its results if it has ended."""

from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final

from providers.batches.batch_results import CANCELLED
from providers.batches.ended_results import EndedResults
from providers.batches.immediate.answerer import Answerer
from providers.batches.immediate.job import Ending, Progress
from providers.batches.immediate.stored import StoredJob
from providers.batches.json_lines import ResultLine, ResultSplitter
from providers.batches.request_table import RequestTable, RowKind
from providers.body import Body, close
from providers.errors import FerryError, not_found
from providers.memory import Reservation
from providers.resources import Batch, BatchState, Counts, Failure
from providers.status import Status

_NEVER: Final = Failure(Status.INTERNAL, "The batch ended without an answer to this request.")


class ImmediateBatch:
    """Implements `FoundBatch`, `ResultLines` and `ResultFiles`.

    `ending` is None if the job has not ended. `cancelled()` is called after a cancel.
    """

    def __init__(
        self,
        job: StoredJob,
        ending: Ending | None,
        batch: Batch,
        answerer: Answerer,
        splitter: ResultSplitter,
        cancelled: Callable[[], None],
    ) -> None:
        self.batch = batch
        self.id_member = answerer.id_member
        self._job = job
        self._ending = ending
        self._answerer = answerer
        self._splitter = splitter
        self._cancelled = cancelled

    async def cancel(self) -> None:
        """Calls in flight end, others do not begin. The replica with the lease ends the job."""
        await self._job.cancel()
        self._cancelled()

    async def delete(self) -> None:
        await self._job.delete()

    async def delete_results(self) -> None:
        if self._ending is not None:
            await self._job.delete_output(self._ending.output)

    async def results(self) -> EndedResults | None:
        if self._ending is None or not await self._job.has_output(self._ending.output):
            return None
        inline = self._job.record.rows is RowKind.METADATA
        return EndedResults(inline, self, self, self._table, _complete)

    # --- read by the results ---------------------------------------------------------------------

    async def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        async with aclosing(self.files()) as files:
            async for file in files:
                async with aclosing(self._splitter.split(file.chunks)) as slices:
                    async for lines in slices:
                        yield lines

    async def files(self) -> AsyncGenerator[Body, None]:
        """One file, as the provider's own batches have it."""
        body = await self._job.output(self._ending.output) if self._ending else None
        if body is None:
            raise not_found(f"batches/{self.batch.id} has no results")
        try:
            yield body
        finally:
            await close(body)

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        return self._answerer.translate(line, self._job.record.invocation)

    def missing(self, _: int, /) -> Failure:
        return CANCELLED if self.batch.state is BatchState.CANCELLED else _NEVER

    async def _table(self, reservation: Reservation) -> RequestTable:
        table = await self._job.table(reservation)
        if table is None:
            raise no_job(self.batch.id)  # the sweep is deleting the job
        return table


async def _complete() -> bool:
    """An immediate batch that ended has a result for each request, or a known reason for none."""
    return True


def no_job(job_id: str) -> FerryError:
    return not_found(f"batches/{job_id} was not found")


def batch_of(
    job: StoredJob,
    answerer: Answerer,
    state: BatchState,
    progress: Progress,
    started: datetime | None = None,
    ended: datetime | None = None,
) -> Batch:
    record = job.record
    counts = Counts(record.count, progress.answered - progress.failed, progress.failed)
    return Batch(
        id=job.key.job_id,
        kind=record.kind,
        state=state,
        native_status=answerer.status_words[state],
        model=record.model,
        display_name=record.display_name,
        create_time=record.created,
        start_time=started,
        end_time=ended,
        counts=counts,
        failure=_cancelled(counts) if state is BatchState.CANCELLED else None,
        warnings=record.warnings,
    )


def _cancelled(counts: Counts) -> Failure:
    left = f"{counts.pending} of its {counts.total} requests were not answered"
    return Failure(Status.CANCELLED, f"The batch was cancelled: {left}.")
