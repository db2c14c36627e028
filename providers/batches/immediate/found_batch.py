"""A job as a batch, with its results if it has ended."""

from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final

from providers.batches.batch_results import CANCELLED
from providers.batches.ended_results import EndedResults, lines_of
from providers.batches.immediate.calls import Answerer
from providers.batches.immediate.job import JobState
from providers.batches.immediate.stored import StoredJob
from providers.batches.json_lines import ResultLine, ResultSplitter
from providers.batches.request_table import RowKind
from providers.body import Body, close
from providers.credential import Caller
from providers.errors import not_found
from providers.json_api.redaction import result_without_secret
from providers.resources import Batch, BatchState, Counts, Failure
from providers.status import Status

_NEVER: Final = Failure(Status.INTERNAL, "The batch ended without an answer to this request.")


class ImmediateBatch:
    """Implements `FoundBatch` and `Results`. `cancelled()` is called after a cancel."""

    def __init__(
        self,
        caller: Caller,
        job: StoredJob,
        state: JobState,
        answerer: Answerer,
        splitter: ResultSplitter,
        cancelled: Callable[[], None],
    ) -> None:
        self.batch = _batch_of(job, state, answerer.status_words[state.state])
        self.id_member = answerer.id_member
        self._caller = caller
        self._job = job
        self._output = state.output
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
        if self._output is not None:
            await self._job.delete_output(self._output)

    async def results(self) -> EndedResults | None:
        if self._output is None or not await self._job.has_output(self._output):
            return None
        inline = self._job.record.rows is RowKind.METADATA
        return EndedResults(inline, self, self._job.table, _complete)

    def slices(self) -> AsyncGenerator[deque[ResultLine], None]:
        return lines_of(self.files(), self._splitter)

    async def files(self) -> AsyncGenerator[Body, None]:
        """One file, as the provider's own batches have it."""
        body = None if self._output is None else await self._job.output(self._output)
        if body is None:
            raise not_found(f"batches/{self.batch.id} has no results")
        try:
            yield body
        finally:
            await close(body)

    def plain(self, line: dict[str, Any], /) -> dict[str, Any] | None:
        return self._answerer.plain(line, self._job.record.invocation)

    def translate(self, line: dict[str, Any], /) -> dict[str, Any]:
        result = self._answerer.translate(line, self._job.record.invocation)
        return result_without_secret(result, self._caller)

    def missing(self, _: int, /) -> Failure:
        return CANCELLED if self.batch.state is BatchState.CANCELLED else _NEVER


async def _complete() -> bool:
    """An immediate batch that ended has a result for each request, or a known reason for none."""
    return True


def _batch_of(job: StoredJob, state: JobState, native_status: str) -> Batch:
    record = job.record
    counts = Counts(record.count, state.succeeded, state.failed)
    failure = None
    if state.state is BatchState.CANCELLED:
        left = f"{counts.pending} of its {counts.total} requests were not answered"
        failure = Failure(Status.CANCELLED, f"The batch was cancelled: {left}.")
    return Batch(
        id=job.key.job_id,
        kind=record.kind,
        state=state.state,
        native_status=native_status,
        model=record.model,
        display_name=record.display_name,
        create_time=record.created,
        start_time=state.started,
        end_time=state.ended,
        counts=counts,
        failure=failure,
        warnings=record.warnings,
    )
