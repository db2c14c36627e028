"""Batches at Mistral, which it calls jobs (mistral.md section 3)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from providers.batches.checked_input import InputLimits
from providers.batches.deleted_markers import DeletedMarkers, batch_marker
from providers.batches.file_batches.api import NewFileBatch
from providers.batches.file_batches.failures import BatchFailures
from providers.batches.line_formats import LineFormats
from providers.credential import Caller
from providers.errors import FerryError
from providers.json_api.client import Answer, JsonApi
from providers.json_api.page_tokens import filled_page
from providers.limits import Limit
from providers.mistral.batch_lines import MistralTranslator, line_formats
from providers.mistral.files import SIZE_LIMIT
from providers.mistral.job_records import failures_of, from_mistral_job, state_of
from providers.mistral.pages import PAGE_SIZE, numbered_pages
from providers.openai_content.result_from_openai import from_openai_line, plain_openai_line
from providers.resources import Batch, BatchState, NewBatch
from providers.state import State
from providers.status import Status

# The status of a request that has an error and no answer, by the state of its job.
_UNANSWERED: Final[Mapping[BatchState, Status]] = {
    BatchState.CANCELLED: Status.CANCELLED,
    BatchState.EXPIRED: Status.DEADLINE_EXCEEDED,
}

# Unverified: whether 1,000,000 are taken, as another page says.
REQUESTS_LIMIT: Final = Limit(100_000, "requests", "a batch at Mistral")


STATUS_WORDS: Final[Mapping[BatchState, str]] = {
    BatchState.PENDING: "QUEUED",
    BatchState.RUNNING: "RUNNING",
    BatchState.CANCELLING: "CANCELLATION_REQUESTED",
    BatchState.CANCELLED: "CANCELLED",
    BatchState.SUCCEEDED: "SUCCESS",
}
"""Mistral's words for the states of a batch that the proxy runs itself."""


class MistralBatchApi:
    """Implements `providers.batches.file_batches.api.FileBatchApi`."""

    folder = "batch/jobs"
    id_member = "custom_id"
    limits = InputLimits("Mistral", REQUESTS_LIMIT, SIZE_LIMIT)
    input_advice = "upload it again with a name that ends in .jsonl"

    def __init__(self, client: JsonApi, state: State) -> None:
        self._client = client
        self._deleted = DeletedMarkers(client.name, state)

    def translator(self, batch: NewBatch) -> MistralTranslator:
        return MistralTranslator(batch)

    def line_formats(self, batch: NewBatch) -> LineFormats:
        return line_formats(batch)

    def document(self, new: NewFileBatch) -> dict[str, Any]:
        return {
            "input_files": [new.input_file],
            "endpoint": new.endpoint,
            "model": new.model,
            "metadata": new.metadata,
        }

    async def made(self, native: Answer, _: Mapping[str, str], /) -> Answer:
        return native

    async def find(self, caller: Caller, batch_id: str) -> Answer:
        native = await self._client.get_object(caller, self.folder, batch_id, "batch")
        await self._deleted.check_batch(batch_id, state_of(native))
        return native

    async def page(
        self, caller: Caller, page_size: int, page_token: str | None
    ) -> tuple[list[Answer], str | None]:
        query = {"order_by": "-created"}
        pages = numbered_pages(self._client, caller, self.folder, page_token, **query)
        return await filled_page(pages, page_size, self._deleted.not_deleted)

    async def newest(self, caller: Caller) -> Sequence[Answer]:
        """Unverified: how a query filters by metadata; so the caller does."""
        return await self._first_page(caller, self.folder, order_by="-created")

    async def newest_inputs(self, caller: Caller) -> Sequence[Answer]:
        return await self._first_page(caller, "files", purpose="batch", source="upload")

    async def delete(self, caller: Caller, native: Answer) -> None:
        """Mistral deletes no running job: one that lost to another with its key is hidden."""
        try:
            await self._client.ensure_deleted(caller, f"{self.folder}/{native.id}")
        except FerryError as error:
            if error.upstream_status not in (400, 409):
                raise
            await self._deleted.mark_deleted(batch_marker(native.id))

    def batch(self, native: Answer) -> Batch:
        return from_mistral_job(native)

    def input_files(self, native: Answer) -> list[str]:
        named = native.get("input_files")
        return [str(name) for name in named] if isinstance(named, list) else []

    def result_files(self, native: Answer) -> list[str]:
        return [str(native[n]) for n in ("output_file", "error_file") if native.get(n)]

    def plain(self, native: Answer, line: dict[str, Any]) -> dict[str, Any] | None:
        return plain_openai_line(line, str(native.get("endpoint")))

    def translate(self, native: Answer, line: dict[str, Any]) -> dict[str, Any]:
        unanswered = _UNANSWERED.get(state_of(native), Status.UNKNOWN)
        return from_openai_line(line, str(native.get("endpoint")), unanswered)

    def failures(self, native: Answer) -> BatchFailures:
        return failures_of(native)

    async def _first_page(self, caller: Caller, path: str, **query: str) -> Sequence[Answer]:
        listed, _ = await self._client.page(caller, path, page=0, page_size=PAGE_SIZE, **query)
        return listed
