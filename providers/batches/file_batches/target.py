"""Batches over a `FileBatchApi`."""

from dataclasses import dataclass, field, replace
from functools import partial

from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.batch_target import FoundBatch
from providers.batches.deleted_markers import DeletedMarkers
from providers.batches.ended_results import EndedResults
from providers.batches.file_batches import metadata
from providers.batches.file_batches.api import FileBatchApi
from providers.batches.file_batches.creation import BatchCreation, Job, table_name
from providers.batches.file_batches.files import FileResultLines, InputFiles
from providers.batches.json_lines import LineSplitter, NumberedSplitter, ResultSplitter
from providers.batches.repeats import Attempt
from providers.batches.request_table import RequestTable, RequestTables, RowKind
from providers.credential import Caller
from providers.errors import FerryError, NotFound
from providers.json_api.client import Answer, JsonApi, wrong_state_if_refused
from providers.json_api.redaction import failure_without_secret
from providers.memory import Limits, MemoryBudget, Reservation
from providers.observation import UNOBSERVED, Observer
from providers.resource_names import parse_file_id, result_file_id
from providers.resources import Batch, NewBatch, Page
from providers.state import State


class FileBatchTarget:
    """Implements `providers.batches.batch_target.BatchTarget`."""

    def __init__(
        self,
        client: JsonApi,
        api: FileBatchApi,
        state: State,
        memory: MemoryBudget,
        limits: Limits,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self.name = client.name
        self.client = client
        self.api = api
        self.tables = RequestTables(client.name, state)
        self.deleted = DeletedMarkers(client.name, state)
        self.inputs = InputFiles(client, api, NumberedSplitter(limits.line, memory))
        self.splitter = ResultSplitter(limits.line, memory)
        self._memory = memory
        self._limits = limits
        self._creation = BatchCreation(client, api, self.tables, self.inputs, observer)

    async def make(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> FoundBatch:
        if not await attempt.begin():
            native = await self._creation.find(caller, metadata.REPEAT, attempt.creation_key)
            if native is not None:
                return FoundFileBatch(self, caller, native)
        source, input_file = self._input(caller, batch)
        if input_file is not None:
            await self.inputs.check(caller, input_file)
        async with self._limits.open_spool() as spool:
            job = Job(caller, batch, source, input_file, attempt, spool)
            with self._memory.reserve() as reservation:
                native = await self._creation.create(job, reservation)
        return FoundFileBatch(self, caller, native)

    async def find(self, caller: Caller, batch_id: str) -> FoundBatch:
        return FoundFileBatch(self, caller, await self.api.find(caller, batch_id))

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        listed, token = await self.api.page(caller, page_size, page_token)
        return Page([FoundFileBatch(self, caller, native).batch for native in listed], token)

    def _input(self, caller: Caller, batch: NewBatch) -> tuple[BatchInput, str | None]:
        if not isinstance(batch.source, str):
            return InlineInput(batch.source, self._memory), None
        native_id = parse_file_id(batch.source).native
        opened = partial(self.inputs.opened, caller, native_id)
        splitter = LineSplitter(self._limits.line, self._memory)
        return FileInput(opened, splitter, self.api.line_formats(batch)), native_id


@dataclass(frozen=True, slots=True)
class FoundFileBatch:
    """Implements `providers.batches.batch_target.FoundBatch`; `native` has its metadata."""

    target: FileBatchTarget = field(repr=False)
    caller: Caller = field(repr=False)
    native: Answer = field(repr=False)

    @property
    def batch(self) -> Batch:
        batch = self.target.api.batch(self.native)
        if batch.failure is None:
            return batch
        return replace(batch, failure=failure_without_secret(batch.failure, self.caller))

    async def cancel(self) -> None:
        path = f"{self.target.api.folder}/{self.native.id}/cancel"
        with wrong_state_if_refused():
            await self.target.client.post(self.caller, path)

    async def delete(self) -> None:
        """Its files first: without the batch they would not be found again."""
        await self._delete_outputs()
        stored = metadata.metadata_of(self.native)
        source = stored.get(metadata.SOURCE)
        if source in (RowKind.METADATA, RowKind.KEY) or metadata.INPUT in stored:
            for name in self.target.api.input_files(self.native):  # the proxy made it
                await self._delete_file(name)
        table = self._table_name()
        if source and table:
            await self.target.tables.delete(table)
        await self.target.api.delete(self.caller, self.native)

    async def delete_results(self) -> None:
        await self._delete_outputs()
        await self.target.deleted.mark_deleted(result_file_id(self.native.id))

    async def results(self) -> EndedResults | None:
        if await self.target.deleted.is_deleted(result_file_id(self.native.id)):
            return None
        return EndedResults(
            inline=metadata.metadata_of(self.native).get(metadata.SOURCE) == RowKind.METADATA,
            lines=self._lines(),
            table=self._table,
            exist=self._has_results,
        )

    async def _has_results(self) -> bool:
        if self.target.api.result_files(self.native):
            return True
        name = self._table_name()
        if name is not None and await self.target.tables.exists(name):
            return True
        return await self.target.inputs.exist(self.caller, self.native)

    async def _table(self, reservation: Reservation) -> RequestTable | None:
        """The keys of the requests; None if only the results have them.

        Raises NOT_FOUND if some results are lost and their requests are not known.
        """
        name = self._table_name()
        table = await self.target.tables.read(name, reservation) if name else None
        if table is not None:
            return table
        lost = await self._lost_results()
        if lost is None and self.batch.failure is None:
            return None
        keys = await self.target.inputs.keys(self.caller, self.native, reservation)
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

    def _lines(self) -> FileResultLines:
        ours = self.target
        return FileResultLines(ours.client, ours.api, self.caller, self.native, ours.splitter)

    def _table_name(self) -> str | None:
        """The name of the batch's request table; None for a batch of another tool."""
        job = metadata.job_of(self.native)
        input_files = self.target.api.input_files(self.native)
        return table_name(input_files[0], job) if job and input_files else None

    async def _delete_outputs(self) -> None:
        for name in self.target.api.result_files(self.native):
            await self._delete_file(name)

    async def _delete_file(self, native_id: str) -> None:
        await self.target.client.ensure_deleted(self.caller, f"files/{native_id}")
