"""Batches over a `FileBatchApi`."""

from functools import partial

from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.deleted_markers import DeletedMarkers
from providers.batches.file_batches import metadata
from providers.batches.file_batches.api import FileBatchApi
from providers.batches.file_batches.creation import BatchCreation, Job, new_job_id
from providers.batches.file_batches.files import InputFiles
from providers.batches.file_batches.found_batch import BatchParts, FoundFileBatch
from providers.batches.json_lines import LineSplitter, NumberedSplitter, ResultSplitter
from providers.batches.repeats import Attempt
from providers.batches.request_table import RequestTables
from providers.credential import Caller
from providers.json_api.client import Answer, JsonApi
from providers.limits import Limits
from providers.memory import MemoryBudget
from providers.resource_names import parse_file_id
from providers.resources import Batch, NewBatch, Page
from providers.state import State


class FileBatchTarget:
    """Implements `providers.batches.target_batches.BatchTarget`."""

    def __init__(
        self,
        client: JsonApi,
        api: FileBatchApi,
        state: State,
        memory: MemoryBudget,
        limits: Limits,
    ) -> None:
        self.name = client.name
        self._api = api
        self._memory = memory
        self._limits = limits
        self._parts = BatchParts(
            client,
            api,
            RequestTables(client.name, state),
            DeletedMarkers(client.name, state),
            InputFiles(client, api, NumberedSplitter(limits.line, memory)),
            ResultSplitter(limits.line, memory),
        )
        self._creation = BatchCreation(client, api, self._parts.tables, self._parts.inputs)

    async def make(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> FoundFileBatch:
        if not await attempt.begin():
            native = await self._creation.find(caller, metadata.REPEAT, attempt.creation_key)
            if native is not None:
                return self._found(caller, native)
        source, input_file = self._input(caller, batch)
        if input_file is not None:
            await self._parts.inputs.check_purpose(caller, input_file)
        job = Job(new_job_id(), caller, batch, source, input_file, attempt.creation_key)
        with self._memory.reserve() as reservation:
            return self._found(caller, await self._creation.create(job, reservation))

    async def find(self, caller: Caller, batch_id: str) -> FoundFileBatch:
        return self._found(caller, await self._api.find(caller, batch_id))

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        listed, token = await self._api.page(caller, page_size, page_token)
        return Page([self._api.batch(native) for native in listed], token)

    def _found(self, caller: Caller, native: Answer) -> FoundFileBatch:
        return FoundFileBatch(self._parts, caller, native)

    def _input(self, caller: Caller, batch: NewBatch) -> tuple[BatchInput, str | None]:
        if not isinstance(batch.source, str):
            return InlineInput(batch.source), None
        native_id = parse_file_id(batch.source).native
        opened = partial(self._parts.inputs.opened, caller, native_id)
        splitter = LineSplitter(self._limits.line, self._memory)
        return FileInput(opened, splitter, self._api.line_formats(batch)), native_id
