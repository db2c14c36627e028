"""Batches at Anthropic."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import replace
from functools import partial

from providers.anthropic.batch_creation import BatchCreation, Job
from providers.anthropic.batch_lines import BatchItems, line_formats
from providers.anthropic.batch_records import from_anthropic_batch, has_results, state_of
from providers.anthropic.lists import CURSOR, listed_page
from providers.anthropic.result_stream import AnthropicResultLines
from providers.anthropic.single_attempt import single_attempt
from providers.anthropic.staged_files import StagedFiles
from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.batch_records import BatchRecords
from providers.batches.ended_results import EndedResults
from providers.batches.json_lines import LineSplitter, ResultSplitter
from providers.batches.repeats import Repeat
from providers.batches.request_table import RequestTable, RequestTables, RowKind
from providers.body import close
from providers.credential import Caller
from providers.errors import (
    NotFound,
    failed_precondition,
    invalid_argument,
    not_found,
    unimplemented,
)
from providers.json_api.client import Answer, JsonApi, wrong_state_if_refused
from providers.json_api.page_tokens import decode_page_token, encode_page_token
from providers.limits import Limits
from providers.memory import MemoryBudget, Reservation
from providers.resource_names import FileKind, check_native_id, parse_file_id, result_file_id
from providers.resources import (
    Batch,
    BatchKind,
    CreatedBatch,
    Download,
    NewBatch,
    Page,
    ResultFile,
    ResultForm,
)
from providers.state import State
from providers.status import Status
from providers.upstream import UpstreamError


class AnthropicBatches:
    """Implements `providers.provider.Batches`, and downloads of result files."""

    def __init__(
        self,
        client: JsonApi,
        state: State,
        staged: StagedFiles,
        memory: MemoryBudget,
        limits: Limits,
        default_max_tokens: int,
    ) -> None:
        self._client = client
        self._state = state
        self._staged = staged
        self._memory = memory
        self._limits = limits
        self._default_max_tokens = default_max_tokens
        self._tables = RequestTables(client.name, state)
        self._records = BatchRecords(client.name, state)
        self._creation = BatchCreation(client, self._tables, self._records)

    async def create(self, caller: Caller, batch: NewBatch) -> CreatedBatch:
        if batch.kind is BatchKind.EMBED:
            raise unimplemented(
                "Anthropic has no embeddings, so client.batches.create_embeddings does not work "
                "with it; client.batches.create does"
            )
        if batch.idempotency_key is None:
            return await self._create(caller, batch, nullcontext())
        repeat = Repeat(
            self._client.name, self._state, caller.tenant, batch.idempotency_key, batch.fingerprint
        )
        recorded = await repeat.recorded()
        if recorded is not None:
            native, record = await self._batch(caller, recorded)
            return CreatedBatch(from_anthropic_batch(native, record))
        created = await self._create(caller, batch, single_attempt(repeat))
        await repeat.record(created.batch.id)
        return created

    async def get(self, caller: Caller, batch_id: str) -> Batch:
        native, record = await self._batch(caller, batch_id)
        batch = from_anthropic_batch(native, record)
        if not state_of(native).terminal:
            return batch
        results = self._results(caller, native, record)
        try:
            inline = await results.in_order(self._memory, self._limits.inline_results)
        except NotFound:
            return batch
        if inline is not None:
            return replace(batch, output=inline)
        if not await self._has_results(native, record):
            return batch
        return replace(batch, output=ResultFile(result_file_id(batch_id)))

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        cursor = decode_page_token(page_token, CURSOR) if page_token else None
        listed, following = await listed_page(
            self._client, caller, "v1/messages/batches", page_size, cursor
        )
        records = await asyncio.gather(*(self._records.read(native.id) for native in listed))
        batches = [from_anthropic_batch(n, r) for n, r in zip(listed, records, strict=True)]
        return Page(batches, encode_page_token(following) if following else None)

    async def cancel(self, caller: Caller, batch_id: str) -> None:
        native, _ = await self._batch(caller, batch_id)
        if state_of(native).terminal:
            raise failed_precondition("the batch has ended")
        with wrong_state_if_refused():
            await self._client.post(caller, f"v1/messages/batches/{batch_id}/cancel")

    async def delete(self, caller: Caller, batch_id: str) -> None:
        native, record = await self._batch(caller, batch_id)
        if not state_of(native).terminal:
            raise failed_precondition(
                "the batch has not ended; cancel it, and delete it when it has ended"
            )
        with wrong_state_if_refused():
            await self._client.ensure_deleted(caller, f"v1/messages/batches/{batch_id}")
        await self._records.delete(batch_id)
        if "job" in record:
            await self._tables.delete(record["job"])

    async def ended(self, caller: Caller, batch_id: str) -> Batch:
        """The batch of a result file. Raises NOT_FOUND if it has no results."""
        return from_anthropic_batch(*await self._ended(caller, batch_id))

    async def download(self, caller: Caller, batch_id: str, form: ResultForm) -> Download:
        """The results as JSON lines: translated while they are read, or as Anthropic wrote them."""
        results = self._results(caller, *await self._ended(caller, batch_id))
        return await results.download(self._memory, form)

    async def _create(
        self, caller: Caller, batch: NewBatch, attempt: AbstractAsyncContextManager[None]
    ) -> CreatedBatch:
        items = BatchItems()
        source = await self._input(caller, batch, items)
        job = Job(caller, batch, source, items, self._default_max_tokens, attempt)
        with self._memory.reserve() as reservation:
            return await self._creation.create(job, reservation)

    async def _input(self, caller: Caller, batch: NewBatch, items: BatchItems) -> BatchInput:
        if not isinstance(batch.source, str):
            return InlineInput(batch.source)
        file_id = parse_file_id(batch.source)
        if file_id.kind is FileKind.RESULTS:
            raise invalid_argument(
                "a result file cannot be the input of a batch; give a file of requests"
            )
        if file_id.kind is FileKind.NATIVE:
            # Raises NOT_FOUND if there is no such file.
            await self._client.get(caller, f"v1/files/{file_id.native}")
            raise invalid_argument(
                "files at Anthropic cannot be read back: upload the requests again with a name "
                "that ends in .jsonl, and the proxy keeps the file"
            )
        await self._staged.get(caller, file_id.native)  # once: the content is opened twice
        opened = partial(self._opened, caller, file_id.native)
        splitter = LineSplitter(self._limits.line, self._memory)
        return FileInput(opened, splitter, line_formats(items))

    @asynccontextmanager
    async def _opened(self, caller: Caller, staged_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        body = await self._staged.content(caller, staged_id)
        try:
            yield aiter(body.chunks)
        finally:
            await close(body)

    async def _batch(self, caller: Caller, batch_id: str) -> tuple[Answer, dict[str, str]]:
        check_native_id(batch_id, "batch")
        native = await self._client.get(caller, f"v1/messages/batches/{batch_id}")
        if native.id != batch_id:
            raise UpstreamError(
                Status.UNAVAILABLE, f"{self._client.name} answered with another batch"
            )
        return native, await self._records.read(batch_id)

    async def _ended(self, caller: Caller, batch_id: str) -> tuple[Answer, dict[str, str]]:
        native, record = await self._batch(caller, batch_id)
        if not (state_of(native).terminal and await self._has_results(native, record)):
            raise not_found(f"batches/{batch_id} has no results")
        return native, record

    async def _has_results(self, native: Answer, record: dict[str, str]) -> bool:
        """Of an ended batch: whether each request has a result, or a known reason for none."""
        if has_results(native):
            return True
        return "job" in record and await self._tables.exists(record["job"])

    def _results(self, caller: Caller, native: Answer, record: dict[str, str]) -> EndedResults:
        lines = self._lines(caller, native)
        return EndedResults(
            # Without the record, only the results show whether the requests were inline.
            inline=record.get("source", RowKind.METADATA) == RowKind.METADATA,
            lines=lines,
            files=lines,
            table=partial(self._table, caller, native, record),
        )

    async def _table(
        self, caller: Caller, native: Answer, record: dict[str, str], reservation: Reservation
    ) -> RequestTable | None:
        """The table of the job, which is named in the record or else in the results."""
        job_id = record.get("job") or await self._lines(caller, native).job_id()
        return await self._tables.read(job_id, reservation) if job_id else None

    def _lines(self, caller: Caller, native: Answer) -> AnthropicResultLines:
        splitter = ResultSplitter(self._limits.line, self._memory)
        return AnthropicResultLines(self._client, caller, native, splitter)
