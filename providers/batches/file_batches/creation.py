"""Creates a batch from a file at the provider.

The steps: check every line, upload the translation, write the request table, create the batch. If
a step fails, what the earlier ones made is deleted again.
"""

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from providers.batches.batch_input import BatchInput
from providers.batches.checked_input import JSON_LINES, Extent, check, observed_refusals, translated
from providers.batches.file_batches import metadata
from providers.batches.file_batches.api import FileBatchApi, NewFileBatch
from providers.batches.file_batches.files import (
    INPUT_PURPOSE,
    InputFiles,
    derived_file_name,
)
from providers.batches.file_batches.input_waits import wait_until_read
from providers.batches.repeats import Attempt, with_unknown_outcome
from providers.batches.request_table import RequestTables
from providers.credential import Caller
from providers.deadlines import time_to_undo
from providers.errors import FerryError
from providers.json_api.client import Answer, JsonApi, outcome_unknown
from providers.json_api.multipart import form_with_file
from providers.memory import Reservation
from providers.observation import Observer
from providers.resource_names import native_file_id
from providers.resources import NewBatch
from providers.spool import Spool

_log = logging.getLogger("genai_ferry.batches")


@dataclass(frozen=True, slots=True)
class Job:
    """One creation. `input_file` is the native id of the client's file, if the input is a file.

    The batch stores the key of the `attempt`.
    """

    caller: Caller
    batch: NewBatch
    source: BatchInput
    input_file: str | None
    attempt: Attempt
    spool: Spool
    id: str = field(default_factory=lambda: secrets.token_hex(16))


def table_name(input_file: str, job_id: str) -> str:
    """Both parts are needed to read a table, and only the provider's own batch has both."""
    return f"{native_file_id(input_file)}/{job_id}"


class BatchCreation:
    def __init__(
        self,
        client: JsonApi,
        api: FileBatchApi,
        tables: RequestTables,
        inputs: InputFiles,
        observer: Observer,
    ) -> None:
        self._client = client
        self._api = api
        self._tables = tables
        self._inputs = inputs
        self._observer = observer

    async def create(self, job: Job, reservation: Reservation) -> Answer:
        stored = metadata.new_metadata(
            job.id, job.batch, job.attempt.creation_key, self._api.limits.whose
        )
        translator = self._api.translator(job.batch)
        with observed_refusals(self._observer):
            checked = await check(
                job.source, translator, self._api.limits, JSON_LINES, reservation, job.spool
            )
            await translator.files.check(self._client, job.caller, "files")
        checked.report_to(self._observer)
        # The client's file is the input if it is already exactly what the provider needs.
        own = job.input_file if checked.native and checked.as_stored else None
        async with self._input_file(job, own, checked.extent) as input_file:
            await self._tables.write(table_name(input_file, job.id), checked.table)
            stored[metadata.SOURCE] = checked.table.kind
            stored |= metadata.warning_metadata(translator.warnings.render())
            if checked.native and own is None:
                stored[metadata.INPUT] = "derived"
            new = NewFileBatch(input_file, checked.endpoint, job.batch.model, stored)
            batch = await self._create(job, self._api.document(new))
        return await self._api.made(batch, stored)

    async def find(self, caller: Caller, name: str, value: str) -> Answer | None:
        """The newest batch with this metadata, for a creation whose answer was lost."""
        newest = await self._api.newest(caller)
        return next((b for b in newest if metadata.metadata_of(b).get(name) == value), None)

    async def _create(self, job: Job, document: dict[str, Any]) -> Answer:
        await job.attempt.sending()
        try:
            batch = await self._client.post(job.caller, self._api.folder, document)
            _ = batch.id  # raises if the answer has none
        except FerryError as error:
            if not outcome_unknown(error):
                raise
            found = await self._found(job, error)
            if found is None:
                raise
            return found
        return batch

    async def _found(self, job: Job, error: FerryError) -> Answer | None:
        """The batch that was created if the answer was lost."""
        try:
            return await self.find(job.caller, metadata.JOB, job.id)
        except FerryError as lookup:
            _log.warning("whether a batch was made is unknown: %s", lookup.status.name)
            await job.attempt.remember()
            raise with_unknown_outcome(error) from None

    @asynccontextmanager
    async def _input_file(self, job: Job, own: str | None, extent: Extent) -> AsyncIterator[str]:
        """`own`, or a file made from the input, which is deleted if no batch is created."""
        made = Answer(id=own) if own else await self._upload_input(job, extent)
        input_file = made.id
        try:
            await wait_until_read(self._client, job.caller, made)
            yield input_file
        except BaseException as error:
            with time_to_undo():
                if await self._certainly_absent(job, error):
                    await self._tables.delete(table_name(input_file, job.id))
                    if own is None:
                        await self._delete_input(job.caller, input_file)
            raise

    async def _certainly_absent(self, job: Job, error: BaseException) -> bool:
        """Whether there certainly is no batch. An existing batch needs its input file."""
        if isinstance(error, FerryError) and not outcome_unknown(error):
            return True
        try:
            return await self.find(job.caller, metadata.JOB, job.id) is None
        except FerryError as lookup:
            _log.warning("whether a batch was made is unknown: %s", lookup.status.name)
            return False

    async def _upload_input(self, job: Job, extent: Extent) -> Answer:
        name = derived_file_name(job.id)
        body = translated(job.source, self._api.translator(job.batch), JSON_LINES, extent)
        content_type, form = form_with_file(
            {"purpose": INPUT_PURPOSE}, "file", name, "application/jsonl", body
        )
        try:
            made = await self._client.post_body(job.caller, "files", content_type, form)
            _ = made.id  # raises if the answer has none
        except FerryError as error:
            found = await self._inputs.named(job.caller, name) if outcome_unknown(error) else None
            if found is None:
                raise
            return found
        except BaseException:
            with time_to_undo():
                found = await self._inputs.named(job.caller, name)
                if found is not None:
                    await self._delete_input(job.caller, found.id)
            raise
        return made

    async def _delete_input(self, caller: Caller, native_id: str) -> None:
        try:
            await self._client.delete(caller, f"files/{native_id}")
        except FerryError as error:
            # The client gets the error that led here; this file stays at the provider.
            _log.warning("a translated input could not be deleted again: %s", error.status.name)
