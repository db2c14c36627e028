"""Batches at OpenAI: files of lines in and out, and the proxy's own data in their metadata."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from providers.batches.checked_input import InputLimits
from providers.batches.deleted_markers import DeletedMarkers, batch_marker
from providers.batches.file_batches.api import NewFileBatch
from providers.batches.file_batches.failures import BatchFailures
from providers.batches.file_batches.metadata import JOB, metadata_of
from providers.batches.line_formats import LineFormats
from providers.credential import Caller
from providers.json_api.client import Answer, JsonApi
from providers.json_api.page_tokens import filled_page
from providers.kept_records import KeptRecords
from providers.limits import Limit
from providers.openai.batch_lines import OpenAITranslator, line_formats
from providers.openai.batch_records import failures_of, from_openai_batch, state_of
from providers.openai.client import pages_after
from providers.openai.files import PURPOSE_HEADER
from providers.openai.upload_target import BATCH_FILE_LIMIT
from providers.openai_content.dialect import Dialect
from providers.openai_content.result_from_openai import from_openai_line, plain_openai_line
from providers.resource_names import FileId, FileKind
from providers.resources import Batch, BatchState, NewBatch
from providers.state import State, write
from providers.stored_objects import METADATA

_LARGEST_PAGE: Final = 100


class StoredMetadata:
    """The metadata of one upstream's batches, read only for a batch that the upstream returned.

    OpenAI keeps it, so nothing is stored; other servers may keep none.
    """

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state
        self._kept = KeptRecords(state, dict[str, str], self._name)

    async def store(self, native: Answer, metadata: Mapping[str, str]) -> Answer:
        """The batch with `metadata`, which is stored here if the server dropped it."""
        if metadata_of(native).get(JOB) == metadata[JOB]:
            return native
        await write(self._state, self._name(native.id), orjson.dumps(metadata))
        return Answer({**native, "metadata": metadata})

    async def restored(self, native: Answer) -> Answer:
        if metadata_of(native):
            return native
        metadata = await self._kept.read(native.id)
        return native if metadata is None else Answer({**native, "metadata": metadata})

    async def delete(self, native: Answer) -> None:
        await self._kept.delete(native.id)

    def _name(self, batch_id: str) -> str:
        return METADATA.name(self._upstream, str(FileId(FileKind.RESULTS, batch_id)))


# openai.md section 4
REQUESTS_LIMIT: Final = Limit(50_000, "requests", "a batch at OpenAI")


STATUS_WORDS: Final[Mapping[BatchState, str]] = {
    BatchState.PENDING: "validating",
    BatchState.RUNNING: "in_progress",
    BatchState.CANCELLING: "cancelling",
    BatchState.CANCELLED: "cancelled",
    BatchState.SUCCEEDED: "completed",
}
"""OpenAI's words for the states of a batch that the proxy runs itself."""


class OpenAIBatchApi:
    """Implements `providers.batches.file_batches.api.FileBatchApi`.

    `dialect` has the server's rules.
    """

    folder = "batches"
    id_member = "custom_id"
    limits = InputLimits("OpenAI", REQUESTS_LIMIT, BATCH_FILE_LIMIT)
    input_advice = (
        "upload it again with a name that ends in .jsonl, or with the header "
        f"{PURPOSE_HEADER}: batch"
    )

    def __init__(self, client: JsonApi, state: State, dialect: Dialect) -> None:
        self._client = client
        self._dialect = dialect
        self._deleted = DeletedMarkers(client.name, state)
        self._metadata = StoredMetadata(client.name, state)

    def translator(self, batch: NewBatch) -> OpenAITranslator:
        return OpenAITranslator(batch.model, batch.kind, batch.file_of_uri, self._dialect)

    def line_formats(self, batch: NewBatch) -> LineFormats:
        return line_formats(batch.model, batch.kind, self._dialect.endpoint_of)

    def document(self, new: NewFileBatch) -> dict[str, Any]:
        return {
            "input_file_id": new.input_file,
            "endpoint": new.endpoint,
            "completion_window": "24h",
            "metadata": new.metadata,
        }

    async def made(self, native: Answer, metadata: Mapping[str, str]) -> Answer:
        return await self._metadata.store(native, metadata)

    async def find(self, caller: Caller, batch_id: str) -> Answer:
        native = await self._client.get_object(caller, self.folder, batch_id, "batch")
        await self._deleted.check_batch(batch_id, state_of(native))
        return await self._metadata.restored(native)

    async def page(
        self, caller: Caller, page_size: int, page_token: str | None
    ) -> tuple[list[Answer], str | None]:
        pages = pages_after(self._client, caller, self.folder, page_size, page_token)
        listed, token = await filled_page(pages, page_size, self._deleted.not_deleted)
        return await asyncio.gather(*map(self._metadata.restored, listed)), token

    async def newest(self, caller: Caller) -> Sequence[Answer]:
        page, _ = await self._client.list(caller, self.folder, limit=_LARGEST_PAGE)
        return page

    async def newest_inputs(self, caller: Caller) -> Sequence[Answer]:
        query = {"purpose": "batch", "order": "desc"}
        page, _ = await self._client.list(caller, "files", limit=_LARGEST_PAGE, **query)
        return page

    async def delete(self, _: Caller, native: Answer, /) -> None:
        """OpenAI deletes no batch: a deleted marker hides it."""
        await self._deleted.mark_deleted(batch_marker(native.id))
        await self._metadata.delete(native)

    def batch(self, native: Answer) -> Batch:
        return from_openai_batch(native)

    def input_files(self, native: Answer) -> list[str]:
        return _names(native, "input_file_id")

    def result_files(self, native: Answer) -> list[str]:
        return _names(native, "output_file_id", "error_file_id")

    def plain(self, native: Answer, line: dict[str, Any]) -> dict[str, Any] | None:
        return plain_openai_line(line, str(native.get("endpoint")))

    def translate(self, native: Answer, line: dict[str, Any]) -> dict[str, Any]:
        return from_openai_line(line, str(native.get("endpoint")))

    def failures(self, native: Answer) -> BatchFailures:
        return failures_of(native, state_of(native))


def _names(native: Answer, *members: str) -> list[str]:
    """The native ids of files; each member may be absent."""
    return [str(native[member]) for member in members if native.get(member)]
