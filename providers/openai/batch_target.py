"""Batches at OpenAI."""

import asyncio
from collections.abc import Sequence
from functools import partial

from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.deleted_markers import DeletedMarkers, batch_marker
from providers.batches.json_lines import LineSplitter, NumberedSplitter, ResultSplitter
from providers.batches.repeats import Attempt
from providers.batches.request_table import RequestTables
from providers.credential import Caller
from providers.errors import not_found
from providers.json_api.client import Answer, JsonApi
from providers.json_api.page_tokens import filled_page
from providers.limits import Limits
from providers.memory import MemoryBudget
from providers.openai import batch_records as records
from providers.openai.batch_creation import BatchCreation, Job, new_job_id
from providers.openai.batch_lines import line_formats
from providers.openai.batch_records import from_openai_batch
from providers.openai.found_batch import BatchParts, OpenAIBatch
from providers.openai.input_files import InputFiles
from providers.openai.pages import pages_after
from providers.openai.stored_metadata import StoredMetadata
from providers.openai_content.schema_rules import SchemaRule
from providers.resource_names import parse_file_id
from providers.resources import Batch, NewBatch, Page
from providers.state import State


class OpenAIBatchTarget:
    """Implements `providers.batches.batch_target.BatchTarget`."""

    def __init__(
        self,
        client: JsonApi,
        state: State,
        memory: MemoryBudget,
        limits: Limits,
        schema_rule: SchemaRule,
    ) -> None:
        self.name = client.name
        self._client = client
        self._memory = memory
        self._limits = limits
        self._schema_rule = schema_rule
        self._parts = BatchParts(
            client,
            RequestTables(client.name, state),
            DeletedMarkers(client.name, state),
            StoredMetadata(client.name, state),
            InputFiles(client, NumberedSplitter(limits.line, memory)),
            ResultSplitter(limits.line, memory),
        )
        self._creation = BatchCreation(client, self._parts.tables, self._parts.metadata)

    async def make(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> OpenAIBatch:
        if not await attempt.begin():
            native = await self._creation.find(caller, records.REPEAT, attempt.mark)
            if native is not None:
                return self._found(caller, native)
        source, input_file = self._input(caller, batch)
        if input_file is not None:
            await self._parts.inputs.check_purpose(caller, input_file)
        job = Job(new_job_id(), caller, batch, source, input_file, attempt.mark, self._schema_rule)
        with self._memory.reserve() as reservation:
            return self._found(caller, await self._creation.create(job, reservation))

    async def find(self, caller: Caller, batch_id: str) -> OpenAIBatch:
        native = await self._client.get_object(caller, "batches", batch_id, "batch")
        if await self._parts.deleted.is_deleted(batch_marker(batch_id)):
            raise not_found(f"batches/{batch_id} was deleted")
        return self._found(caller, await self._parts.metadata.restored(native))

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        pages = pages_after(self._client, caller, "batches", page_size, page_token)
        listed, token = await filled_page(pages, page_size, self._not_deleted)
        whole = await asyncio.gather(*map(self._parts.metadata.restored, listed))
        return Page([from_openai_batch(native) for native in whole], token)

    def _found(self, caller: Caller, native: Answer) -> OpenAIBatch:
        return OpenAIBatch(self._parts, caller, native)

    def _input(self, caller: Caller, batch: NewBatch) -> tuple[BatchInput, str | None]:
        if not isinstance(batch.source, str):
            return InlineInput(batch.source), None
        native_id = parse_file_id(batch.source).native
        opened = partial(self._parts.inputs.opened, caller, native_id)
        formats = line_formats(batch.model, batch.kind)
        splitter = LineSplitter(self._limits.line, self._memory)
        return FileInput(opened, splitter, formats), native_id

    async def _not_deleted(self, listed: Sequence[Answer]) -> list[Answer]:
        names = [batch_marker(native.id) for native in listed]
        deleted = await self._parts.deleted.deleted_of(names)
        return [n for n, name in zip(listed, names, strict=True) if name not in deleted]
