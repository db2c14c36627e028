"""Creates a batch at Anthropic, after every line has been checked.

The requests are the body of the call that creates the batch. Anthropic keeps no keys and no names,
so the request table is written before the call, and the record after it, when the batch has an id.
If the record is lost, the table is found by the custom ids, which name the job.
"""

import logging
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from providers.anthropic.batch_lines import AnthropicTranslator, BatchItems
from providers.anthropic.client import BATCHES
from providers.batches.batch_input import BatchInput
from providers.batches.batch_records import BatchRecord, BatchRecords
from providers.batches.checked_input import (
    Extent,
    Framing,
    InputLimits,
    check,
    observed_refusals,
    translated,
)
from providers.batches.repeats import Attempt, may_have_created, with_unknown_outcome
from providers.batches.request_table import RequestTables
from providers.body import Body, close
from providers.claude_content.api_version import OLD_VERSION
from providers.credential import Caller
from providers.errors import FerryError
from providers.json_api.client import Answer, JsonApi, outcome_unknown
from providers.limits import Limit
from providers.memory import Reservation
from providers.observation import Observer
from providers.prompt_cache import CacheLife
from providers.resources import NewBatch
from providers.spool import Spool

# anthropic.md section 2
REQUESTS_LIMIT: Final = Limit(100_000, "requests", "a batch at Anthropic")
SIZE_LIMIT: Final = Limit(256_000_000, "bytes", "the translated input of a batch at Anthropic")
LIMITS: Final = InputLimits("Anthropic", REQUESTS_LIMIT, SIZE_LIMIT)
_REQUESTS: Final = Framing(head=b'{"requests":[', between=b",", tail=b"]}")

_log: Final = logging.getLogger("genai_ferry.anthropic")


@dataclass(frozen=True, slots=True)
class Job:
    """One creation. Reading `source` also notes its native lines in `items`.

    `attempt` is recorded just around the call that creates the batch.
    """

    caller: Caller
    batch: NewBatch
    source: BatchInput
    items: BatchItems
    default_max_tokens: int
    attempt: Attempt
    spool: Spool
    cache: CacheLife | None
    id: str = field(default_factory=lambda: secrets.token_hex(16))

    def translator(self) -> AnthropicTranslator:
        return AnthropicTranslator(
            self.batch.model,
            self.id,
            self.items,
            self.default_max_tokens,
            self.batch.file_of_uri,
            self.cache,
        )


class BatchCreation:
    def __init__(
        self, client: JsonApi, tables: RequestTables, records: BatchRecords, observer: Observer
    ) -> None:
        self._client = client
        self._tables = tables
        self._records = records
        self._observer = observer

    async def create(self, job: Job, reservation: Reservation) -> tuple[Answer, BatchRecord]:
        """The batch, and its record."""
        translator = job.translator()
        with observed_refusals(self._observer):
            checked = await check(job.source, translator, LIMITS, _REQUESTS, reservation, job.spool)
            await translator.files.check(self._client, job.caller, "v1/files")
        checked.report_to(self._observer)
        await self._tables.write(job.id, checked.table)
        try:
            async with job.attempt.single():
                batch = await self._create_batch(job, checked.extent)
        except Exception as error:
            if not may_have_created(error):
                await self._tables.delete(job.id)
            raise
        record = BatchRecord(
            job.batch.model,
            job.batch.display_name or "",
            checked.table.kind,
            warnings=translator.warnings.render(),
            job=job.id,
        )
        await self._write_record(batch.id, record)
        return batch, record

    async def _write_record(self, batch_id: str, record: BatchRecord) -> None:
        try:
            await self._records.write(batch_id, record)
        except FerryError as error:
            # The batch exists: after an error the client would create, and pay for, a second one.
            # Its keys are found by its custom ids; its names and warnings are lost.
            _log.warning("the names and warnings of a batch were not stored: %s", error.status.name)

    async def _create_batch(self, job: Job, extent: Extent) -> Answer:
        requests = translated(job.source, job.translator(), _REQUESTS, extent)
        body = Body(_marked(requests, job.attempt), extent.length)
        version = {"anthropic_version": OLD_VERSION} if job.items.needs_old_version else {}
        try:
            batch = await self._client.post_body(
                job.caller, BATCHES, "application/json", body, **version
            )
            _ = batch.id  # raises if the answer has none
        except FerryError as error:
            if outcome_unknown(error):
                # Anthropic stores nothing by which the batch could be found.
                raise with_unknown_outcome(error) from None
            raise
        return batch


async def _marked(body: Body, attempt: Attempt) -> AsyncIterator[bytes]:
    """Anthropic creates nothing from a part of the body, so the last chunk waits for `sending`."""
    last = b""
    try:
        async for chunk in body.chunks:
            if last:
                yield last
            last = chunk
        await attempt.sending()
        yield last
    finally:
        await close(body)
