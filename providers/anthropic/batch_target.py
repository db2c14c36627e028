"""Batches at Anthropic."""

from dataclasses import dataclass, field
from functools import partial

from providers.anthropic.batch_creation import BatchCreation, Job
from providers.anthropic.batch_lines import BatchItems, line_formats, require_generate
from providers.anthropic.batch_records import from_anthropic_batch, has_results
from providers.anthropic.client import BATCHES, CURSOR, listed_page
from providers.anthropic.results import AnthropicResultLines
from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.batch_records import BatchRecord, BatchRecords
from providers.batches.batch_target import FoundBatch
from providers.batches.ended_results import EndedResults
from providers.batches.json_lines import LineSplitter, ResultSplitter
from providers.batches.repeats import Attempt
from providers.batches.request_table import RequestTable, RequestTables, RowKind
from providers.credential import Caller
from providers.errors import failed_precondition, invalid_argument
from providers.json_api.client import Answer, JsonApi, wrong_state_if_refused
from providers.json_api.page_tokens import decode_page_token, encode_page_token
from providers.memory import Limits, MemoryBudget, Reservation
from providers.observation import Observer
from providers.prompt_cache import CacheLife, requested_cache
from providers.resource_names import FileKind, parse_file_id
from providers.resources import Batch, NewBatch, Page
from providers.state import State
from providers.uploads.staged_files import StagedFiles


class AnthropicBatchTarget:
    """Implements `providers.batches.batch_target.BatchTarget`."""

    def __init__(
        self,
        client: JsonApi,
        state: State,
        staged: StagedFiles,
        memory: MemoryBudget,
        limits: Limits,
        default_max_tokens: int,
        cache: CacheLife | None,
        observer: Observer,
    ) -> None:
        self.name = client.name
        self.client = client
        self.tables = RequestTables(client.name, state)
        self.records = BatchRecords(client.name, state)
        self.splitter = ResultSplitter(limits.line, memory)
        self._staged = staged
        self._memory = memory
        self._limits = limits
        self._default_max_tokens = default_max_tokens
        self._cache = cache
        self._creation = BatchCreation(client, self.tables, self.records, observer)

    async def make(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> FoundBatch:
        require_generate(batch)
        cache = requested_cache(caller) or self._cache
        items = BatchItems()
        source = await self._input(caller, batch, items)
        async with self._limits.open_spool() as spool:
            job = Job(caller, batch, source, items, self._default_max_tokens, attempt, spool, cache)
            with self._memory.reserve() as reservation:
                native, record = await self._creation.create(job, reservation)
        return AnthropicBatch(self, caller, native, record)

    async def find(self, caller: Caller, batch_id: str) -> FoundBatch:
        native = await self.client.get_object(caller, BATCHES, batch_id, "batch")
        return AnthropicBatch(self, caller, native, await self.records.read(batch_id))

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        cursor = decode_page_token(page_token, CURSOR) if page_token else None
        listed, following = await listed_page(self.client, caller, BATCHES, page_size, cursor)
        ids = [native.id for native in listed]
        records = await self.records.read_all(ids)
        batches = [from_anthropic_batch(n, r) for n, r in zip(listed, records, strict=True)]
        return Page(batches, encode_page_token(following) if following else None)

    async def _input(self, caller: Caller, batch: NewBatch, items: BatchItems) -> BatchInput:
        if not isinstance(batch.source, str):
            return InlineInput(batch.source, self._memory)
        file_id = parse_file_id(batch.source)
        if file_id.kind is FileKind.NATIVE:
            # Raises NOT_FOUND if there is no such file.
            await self.client.get(caller, f"v1/files/{file_id.native}")
            raise invalid_argument(
                "files at Anthropic cannot be read back: upload the requests again with a name "
                "that ends in .jsonl, and the proxy keeps the file"
            )
        await self._staged.get(caller, file_id.native)  # once: the content is opened twice
        opened = partial(self._staged.opened, caller, file_id.native)
        splitter = LineSplitter(self._limits.line, self._memory)
        return FileInput(opened, splitter, line_formats(items))


@dataclass(frozen=True, slots=True)
class AnthropicBatch:
    """Implements `providers.batches.batch_target.FoundBatch`."""

    target: AnthropicBatchTarget = field(repr=False)
    caller: Caller = field(repr=False)
    native: Answer = field(repr=False)
    record: BatchRecord = field(repr=False)

    @property
    def batch(self) -> Batch:
        return from_anthropic_batch(self.native, self.record)

    async def cancel(self) -> None:
        with wrong_state_if_refused():
            await self.target.client.post(self.caller, f"{self._path}/cancel")

    async def delete(self) -> None:
        with wrong_state_if_refused():
            await self.target.client.ensure_deleted(self.caller, self._path)
        await self.target.records.delete(self.native.id)
        if self.record.job:
            await self.target.tables.delete(self.record.job)

    async def delete_results(self) -> None:
        raise failed_precondition(
            f"results are deleted with their batch: delete batches/{self.native.id}"
        )

    async def results(self) -> EndedResults:
        return EndedResults(
            # Without the record, only the results show whether the requests were inline.
            inline=self.record.source is RowKind.METADATA,
            lines=self._lines(),
            table=self._table,
            exist=self._has_results,
        )

    async def _has_results(self) -> bool:
        if has_results(self.native):
            return True
        return bool(self.record.job) and await self.target.tables.exists(self.record.job)

    async def _table(self, reservation: Reservation) -> RequestTable | None:
        """The table of the job, which is named in the record or else in the results."""
        job_id = self.record.job or await self._lines().job_id()
        return await self.target.tables.read(job_id, reservation) if job_id else None

    def _lines(self) -> AnthropicResultLines:
        return AnthropicResultLines(
            self.target.client, self.caller, self.native, self.target.splitter
        )

    @property
    def _path(self) -> str:
        return f"{BATCHES}/{self.native.id}"
