"""A batch that Anthropic has shown to a caller."""

from dataclasses import dataclass, field

from providers.anthropic.batch_records import from_anthropic_batch, has_results
from providers.anthropic.result_stream import AnthropicResultLines
from providers.batches.batch_records import BatchRecord, BatchRecords
from providers.batches.ended_results import EndedResults
from providers.batches.json_lines import ResultSplitter
from providers.batches.request_table import RequestTable, RequestTables, RowKind
from providers.credential import Caller
from providers.errors import failed_precondition
from providers.json_api.client import Answer, JsonApi, wrong_state_if_refused
from providers.memory import Reservation
from providers.resources import Batch


@dataclass(frozen=True, slots=True)
class BatchParts:
    """What the batches of one upstream consist of, at Anthropic and in the state store."""

    client: JsonApi
    tables: RequestTables
    records: BatchRecords
    splitter: ResultSplitter


@dataclass(frozen=True, slots=True)
class AnthropicBatch:
    """Implements `providers.batches.target_batches.FoundBatch`."""

    parts: BatchParts
    caller: Caller = field(repr=False)
    native: Answer = field(repr=False)
    record: BatchRecord = field(repr=False)

    @property
    def batch(self) -> Batch:
        return from_anthropic_batch(self.native, self.record)

    async def cancel(self) -> None:
        with wrong_state_if_refused():
            await self.parts.client.post(self.caller, f"{self._path}/cancel")

    async def delete(self) -> None:
        with wrong_state_if_refused():
            await self.parts.client.ensure_deleted(self.caller, self._path)
        await self.parts.records.delete(self.native.id)
        if self.record.job:
            await self.parts.tables.delete(self.record.job)

    async def delete_results(self) -> None:
        raise failed_precondition(
            f"results are deleted with their batch: delete batches/{self.native.id}"
        )

    async def results(self) -> EndedResults:
        lines = self._lines()
        return EndedResults(
            # Without the record, only the results show whether the requests were inline.
            inline=self.record.source is RowKind.METADATA,
            lines=lines,
            files=lines,
            table=self._table,
            exist=self._has_results,
        )

    async def _has_results(self) -> bool:
        if has_results(self.native):
            return True
        return bool(self.record.job) and await self.parts.tables.exists(self.record.job)

    async def _table(self, reservation: Reservation) -> RequestTable | None:
        """The table of the job, which is named in the record or else in the results."""
        job_id = self.record.job or await self._lines().job_id()
        return await self.parts.tables.read(job_id, reservation) if job_id else None

    def _lines(self) -> AnthropicResultLines:
        return AnthropicResultLines(
            self.parts.client, self.caller, self.native, self.parts.splitter
        )

    @property
    def _path(self) -> str:
        return f"v1/messages/batches/{self.native.id}"
