"""Batches at OpenAI."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.deleted_markers import DeletedMarkers, batch_marker
from providers.batches.ended_results import EndedResults
from providers.batches.json_lines import LineSplitter, NumberedSplitter, ResultSplitter
from providers.batches.repeats import Repeat
from providers.batches.request_table import RequestTable, RequestTables, RowKind
from providers.credential import Caller
from providers.errors import FerryError, NotFound, failed_precondition, invalid_argument, not_found
from providers.json_api.client import Answer, JsonApi, outcome_unknown, wrong_state_if_refused
from providers.limits import Limits
from providers.memory import MemoryBudget, Reservation
from providers.openai import batch_records as records
from providers.openai.batch_creation import BatchCreation, Job, new_job_id, table_name
from providers.openai.batch_failures import failure_of
from providers.openai.batch_lines import line_formats
from providers.openai.batch_records import from_openai_batch
from providers.openai.input_files import InputFiles
from providers.openai.pages import filled_page
from providers.openai.result_files import OpenAIResultLines, output_files
from providers.openai.stored_metadata import StoredMetadata
from providers.openai_content.root_schema import SchemaRule
from providers.resource_names import FileKind, check_native_id, parse_file_id, result_file_id
from providers.resources import (
    Batch,
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

Answers = list[Answer]  # `list` is a method of the class below
_log: Final = logging.getLogger("genai_ferry.openai")


class OpenAIBatches:
    """Implements `providers.provider.Batches`, and downloads of result files."""

    def __init__(
        self,
        client: JsonApi,
        state: State,
        memory: MemoryBudget,
        limits: Limits,
        schema_rule: SchemaRule,
    ) -> None:
        self._client = client
        self._state = state
        self._memory = memory
        self._limits = limits
        self._schema_rule = schema_rule
        self._tables = RequestTables(client.name, state)
        self._deleted = DeletedMarkers(client.name, state)
        self._stored_metadata = StoredMetadata(client.name, state)
        self._inputs = InputFiles(client, NumberedSplitter(limits.line, memory))
        self._creation = BatchCreation(client, self._tables, self._stored_metadata)

    async def create(self, caller: Caller, batch: NewBatch) -> CreatedBatch:
        if batch.idempotency_key is None:
            return CreatedBatch(from_openai_batch(await self._create(caller, batch, mark="")))
        repeat = Repeat(
            self._client.name, self._state, caller.tenant, batch.idempotency_key, batch.fingerprint
        )
        recorded = await repeat.recorded()
        if recorded is not None:
            return CreatedBatch(from_openai_batch(await self._batch(caller, recorded)))
        native = await self._create_or_find(caller, batch, repeat)
        first = await repeat.record(native.id)
        if first != native.id:
            await self._discard(caller, native)
            native = await self._batch(caller, first)
        return CreatedBatch(from_openai_batch(native))

    async def get(self, caller: Caller, batch_id: str) -> Batch:
        native = await self._batch(caller, batch_id)
        batch = from_openai_batch(native)
        if not await self._keeps_results(native):
            return batch
        results = self._results(caller, native)
        try:
            inline = await results.in_order(self._memory, self._limits.inline_results)
        except NotFound:
            return batch
        if inline is not None:
            return replace(batch, output=inline)
        if not await self._has_results(caller, native):
            return batch
        return replace(batch, output=ResultFile(result_file_id(batch_id)))

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        listed, token = await filled_page(
            self._client, caller, "batches", page_size, page_token, self._not_deleted
        )
        whole = await asyncio.gather(*map(self._stored_metadata.restored, listed))
        return Page([from_openai_batch(native) for native in whole], token)

    async def cancel(self, caller: Caller, batch_id: str) -> None:
        native = await self._batch(caller, batch_id)
        if records.state_of(native).terminal:
            raise failed_precondition(f"the batch has ended ({native['status']})")
        with wrong_state_if_refused():
            await self._client.post(caller, f"batches/{batch_id}/cancel")

    async def delete(self, caller: Caller, batch_id: str) -> None:
        """OpenAI deletes no batch: its files go, and a deleted marker hides the rest."""
        native = await self._batch(caller, batch_id)
        if not records.state_of(native).terminal:
            raise failed_precondition(
                f"the batch is {native['status']}; cancel it, and delete it when it has ended"
            )
        await self._delete_files(caller, native)
        await self._deleted.mark_deleted(batch_marker(batch_id))
        await self._stored_metadata.delete(native)

    async def ended(self, caller: Caller, batch_id: str) -> Batch:
        """The batch of a result file. Raises NOT_FOUND if it has no results."""
        return from_openai_batch(await self._ended(caller, batch_id))

    async def download(self, caller: Caller, batch_id: str, form: ResultForm) -> Download:
        """The results as JSON lines: translated while they are read, or as OpenAI wrote them."""
        results = self._results(caller, await self._ended(caller, batch_id))
        return await results.download(self._memory, form)

    async def delete_results(self, caller: Caller, batch_id: str) -> None:
        for name in output_files(await self._ended(caller, batch_id)):
            await self._client.ensure_deleted(caller, f"files/{name}")
        await self._deleted.mark_deleted(result_file_id(batch_id))

    async def _create_or_find(self, caller: Caller, batch: NewBatch, repeat: Repeat) -> Answer:
        """A new batch, unless an earlier attempt with an unknown outcome has created one."""
        if not await repeat.begin():
            found = await self._creation.find(caller, records.REPEAT, repeat.mark)
            if found is not None:
                return found
        try:
            return await self._create(caller, batch, repeat.mark)
        except FerryError as error:
            if not outcome_unknown(error):
                await repeat.forget()
            raise

    async def _create(self, caller: Caller, batch: NewBatch, mark: str) -> Answer:
        source, input_file = self._input(caller, batch)
        if input_file is not None:
            await self._inputs.check_purpose(caller, input_file)
        job = Job(new_job_id(), caller, batch, source, input_file, mark, self._schema_rule)
        with self._memory.reserve() as reservation:
            return await self._creation.create(job, reservation)

    def _input(self, caller: Caller, batch: NewBatch) -> tuple[BatchInput, str | None]:
        if not isinstance(batch.source, str):
            return InlineInput(batch.source), None
        file_id = parse_file_id(batch.source)
        if file_id.kind is not FileKind.NATIVE:
            raise invalid_argument(
                "a result file cannot be the input of a batch; give a file of requests"
            )
        opened = partial(self._inputs.opened, caller, file_id.native)
        formats = line_formats(batch.model, batch.kind)
        splitter = LineSplitter(self._limits.line, self._memory)
        return FileInput(opened, splitter, formats), file_id.native

    async def _batch(self, caller: Caller, batch_id: str) -> Answer:
        """OpenAI's batch. Raises NOT_FOUND if it was deleted through the proxy."""
        check_native_id(batch_id, "batch")
        native = await self._client.get(caller, f"batches/{batch_id}")
        if native.id != batch_id:
            raise UpstreamError(
                Status.UNAVAILABLE, f"{self._client.name} answered with another batch"
            )
        if await self._deleted.is_deleted(batch_marker(batch_id)):
            raise not_found(f"batches/{batch_id} was deleted")
        return await self._stored_metadata.restored(native)

    async def _ended(self, caller: Caller, batch_id: str) -> Answer:
        native = await self._batch(caller, batch_id)
        if not (await self._keeps_results(native) and await self._has_results(caller, native)):
            raise not_found(f"batches/{batch_id} has no results")
        return native

    async def _keeps_results(self, native: Answer) -> bool:
        """Whether the batch has ended, and its results have not been deleted."""
        if not records.state_of(native).terminal:
            return False
        return not await self._deleted.is_deleted(result_file_id(native.id))

    async def _has_results(self, caller: Caller, native: Answer) -> bool:
        """Of an ended batch: whether each request has a result, or a known reason for none."""
        if output_files(native):
            return True
        name = _table_name(native)
        if name is not None and await self._tables.exists(name):
            return True
        return await self._inputs.exists(caller, native)

    def _results(self, caller: Caller, native: Answer) -> EndedResults:
        lines = self._lines(caller, native)
        return EndedResults(
            inline=records.metadata_of(native).get(records.SOURCE) == RowKind.METADATA,
            lines=lines,
            files=lines,
            table=partial(self._table, caller, native),
        )

    async def _table(
        self, caller: Caller, native: Answer, reservation: Reservation
    ) -> RequestTable | None:
        """The keys of the requests; None if only the results have them.

        Raises NOT_FOUND if some results are lost and their requests are not known.
        """
        name = _table_name(native)
        table = await self._tables.read(name, reservation) if name else None
        if table is not None:
            return table
        lost = await self._lost_results(caller, native)
        if lost is None and failure_of(native) is None:
            return None
        keys = await self._inputs.keys(caller, native, reservation)
        if keys is None and lost is not None:
            raise lost
        return keys

    async def _lost_results(self, caller: Caller, native: Answer) -> FerryError | None:
        """The error of the first missing result file, or None."""
        try:
            await self._lines(caller, native).check_files()
        except NotFound as error:
            return error
        return None

    def _lines(self, caller: Caller, native: Answer) -> OpenAIResultLines:
        splitter = ResultSplitter(self._limits.line, self._memory)
        return OpenAIResultLines(self._client, caller, native, splitter)

    async def _not_deleted(self, listed: Sequence[Answer]) -> Answers:
        names = [batch_marker(native.id) for native in listed]
        deleted = await self._deleted.deleted_of(names)
        return [n for n, name in zip(listed, names, strict=True) if name not in deleted]

    async def _discard(self, caller: Caller, native: Answer) -> None:
        """Undo a batch, because another request with the same idempotency key was faster."""
        batch_id = native.id
        await self._deleted.mark_deleted(batch_marker(batch_id))
        try:
            await self._client.post(caller, f"batches/{batch_id}/cancel")
            await self._delete_files(caller, native)
        except FerryError as error:
            # It is hidden already, and the client gets the batch of the idempotency key.
            _log.warning("a second batch for one key could not be undone: %s", error.status.name)

    async def _delete_files(self, caller: Caller, native: Answer) -> None:
        """Delete what was made for the batch: its outputs, and its input if the proxy made it."""
        for name in output_files(native):
            await self._client.ensure_deleted(caller, f"files/{name}")
        metadata = records.metadata_of(native)
        source, job = metadata.get(records.SOURCE), metadata.get(records.JOB)
        if source in (RowKind.METADATA, RowKind.KEY) or records.INPUT in metadata:
            await self._client.ensure_deleted(caller, f"files/{native['input_file_id']}")
        if source and job and job.isalnum():
            await self._tables.delete(table_name(native["input_file_id"], job))


def _table_name(native: Answer) -> str | None:
    """The name of the batch's request table; None for a batch of another tool."""
    job = records.metadata_of(native).get(records.JOB, "")
    if not job.isalnum() or not native.get("input_file_id"):
        return None
    return table_name(native["input_file_id"], job)
