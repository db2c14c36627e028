"""A batch that OpenAI has shown to a caller."""

from dataclasses import dataclass, field

from providers.batches.deleted_markers import DeletedMarkers, batch_marker
from providers.batches.ended_results import EndedResults
from providers.batches.json_lines import ResultSplitter
from providers.batches.request_table import RequestTable, RequestTables, RowKind
from providers.credential import Caller
from providers.errors import FerryError, NotFound
from providers.json_api.client import Answer, JsonApi, wrong_state_if_refused
from providers.memory import Reservation
from providers.openai import batch_records as records
from providers.openai.batch_creation import table_name
from providers.openai.batch_failures import failure_of
from providers.openai.input_files import InputFiles
from providers.openai.result_files import OpenAIResultLines, output_files
from providers.openai.stored_metadata import StoredMetadata
from providers.resource_names import result_file_id
from providers.resources import Batch


@dataclass(frozen=True, slots=True)
class BatchParts:
    """What the batches of one upstream consist of, at OpenAI and in the state store."""

    client: JsonApi
    tables: RequestTables
    deleted: DeletedMarkers
    metadata: StoredMetadata
    inputs: InputFiles
    splitter: ResultSplitter


@dataclass(frozen=True, slots=True)
class OpenAIBatch:
    """Implements `providers.batches.batch_target.FoundBatch`; `native` has its metadata."""

    parts: BatchParts
    caller: Caller = field(repr=False)
    native: Answer = field(repr=False)

    @property
    def batch(self) -> Batch:
        return records.from_openai_batch(self.native)

    async def cancel(self) -> None:
        with wrong_state_if_refused():
            await self.parts.client.post(self.caller, f"batches/{self.native.id}/cancel")

    async def delete(self) -> None:
        """OpenAI deletes no batch: its files go, and a deleted marker hides the rest."""
        await self._delete_outputs()
        metadata = records.metadata_of(self.native)
        source = metadata.get(records.SOURCE)
        if source in (RowKind.METADATA, RowKind.KEY) or records.INPUT in metadata:
            await self._delete_file(self.native["input_file_id"])  # the proxy made it
        name = self._table_name()
        if source and name:
            await self.parts.tables.delete(name)
        await self.parts.deleted.mark_deleted(batch_marker(self.native.id))
        await self.parts.metadata.delete(self.native)

    async def delete_results(self) -> None:
        await self._delete_outputs()
        await self.parts.deleted.mark_deleted(result_file_id(self.native.id))

    async def results(self) -> EndedResults | None:
        if await self.parts.deleted.is_deleted(result_file_id(self.native.id)):
            return None
        lines = self._lines()
        return EndedResults(
            inline=records.metadata_of(self.native).get(records.SOURCE) == RowKind.METADATA,
            lines=lines,
            files=lines,
            table=self._table,
            exist=self._has_results,
        )

    async def _has_results(self) -> bool:
        if output_files(self.native):
            return True
        name = self._table_name()
        if name is not None and await self.parts.tables.exists(name):
            return True
        return await self.parts.inputs.exists(self.caller, self.native)

    async def _table(self, reservation: Reservation) -> RequestTable | None:
        """The keys of the requests; None if only the results have them.

        Raises NOT_FOUND if some results are lost and their requests are not known.
        """
        name = self._table_name()
        table = await self.parts.tables.read(name, reservation) if name else None
        if table is not None:
            return table
        lost = await self._lost_results()
        if lost is None and failure_of(self.native) is None:
            return None
        keys = await self.parts.inputs.keys(self.caller, self.native, reservation)
        if keys is None and lost is not None:
            raise lost
        return keys

    async def _lost_results(self) -> FerryError | None:
        """The error of the first missing result file, or None."""
        try:
            await self._lines().check_files()
        except NotFound as error:
            return error
        return None

    def _lines(self) -> OpenAIResultLines:
        return OpenAIResultLines(self.parts.client, self.caller, self.native, self.parts.splitter)

    def _table_name(self) -> str | None:
        """The name of the batch's request table; None for a batch of another tool."""
        job = records.metadata_of(self.native).get(records.JOB, "")
        input_file = self.native.get("input_file_id")
        return table_name(input_file, job) if job.isalnum() and input_file else None

    async def _delete_outputs(self) -> None:
        for name in output_files(self.native):
            await self._delete_file(name)

    async def _delete_file(self, native_id: str) -> None:
        await self.parts.client.ensure_deleted(self.caller, f"files/{native_id}")
