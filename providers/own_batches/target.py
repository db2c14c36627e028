"""All batches of a provider, run by the proxy itself."""

import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.batch_target import FoundBatch
from providers.batches.checked_input import (
    JSON_LINES,
    InputLimits,
    check,
    observed_refusals,
    translated,
)
from providers.batches.file_batches.api import FileBatchTranslator
from providers.batches.file_references import FileReferences
from providers.batches.immediate.creation import NewImmediateJob
from providers.batches.immediate.jobs import ImmediateJobs
from providers.batches.json_lines import LineSplitter
from providers.batches.line_formats import LineFormats
from providers.batches.repeats import Attempt
from providers.credential import Caller
from providers.errors import not_found
from providers.json_api.page_tokens import decode_page_token, encode_page_token
from providers.memory import Limits, MemoryBudget, Reservation
from providers.observation import Observer
from providers.resource_names import FileKind, parse_file_id
from providers.resources import Batch, NewBatch, Page
from providers.spool import Spool
from providers.uploads.staged_files import StagedFiles

# A position in the list of immediate jobs, which checks it.
_TOKEN: Final = re.compile(r"[!-~]{1,6000}")


@dataclass(frozen=True, slots=True)
class OwnLines:
    """A provider's lines of batch input. The caller's headers may say how they are written.

    `check_files` raises INVALID_ARGUMENT for files in requests that the provider does not have.
    """

    translator: Callable[[Caller, NewBatch], FileBatchTranslator]
    formats: Callable[[NewBatch], LineFormats]
    check_files: Callable[[Caller, FileReferences], Awaitable[None]]


class OwnBatchTarget:
    """Implements `providers.batches.batch_target.BatchTarget`. The inputs are `staged` files."""

    def __init__(
        self,
        name: str,
        lines: OwnLines,
        immediate: ImmediateJobs,
        staged: StagedFiles,
        memory: MemoryBudget,
        limits: Limits,
        input_limits: InputLimits,
        observer: Observer,
    ) -> None:
        self.name = name
        self._lines = lines
        self._immediate = immediate
        self._staged = staged
        self._memory = memory
        self._limits = limits
        self._input_limits = input_limits
        self._observer = observer

    async def make(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> FoundBatch:
        new = secrets.token_hex(16)
        job_id = await attempt.join(new)
        if job_id != new:
            earlier = await self._immediate.find_attempt(caller, job_id)
            if earlier is not None:
                return earlier
        source = await self._input(caller, batch)
        async with self._limits.open_spool() as spool:
            with self._memory.reserve() as reservation:
                job = await self._job(caller, batch, source, spool, reservation)
                await attempt.sending()
                return await self._immediate.create(caller, job_id, job)

    async def find(self, caller: Caller, batch_id: str) -> FoundBatch:
        return await self._immediate.find(caller, batch_id)

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        after = decode_page_token(page_token, _TOKEN) if page_token else ""
        batches, following = await self._immediate.list(caller, after, page_size)
        return Page(batches, encode_page_token(following) if following else None)

    async def _job(
        self,
        caller: Caller,
        batch: NewBatch,
        source: BatchInput,
        spool: Spool,
        reservation: Reservation,
    ) -> NewImmediateJob:
        translator = self._lines.translator(caller, batch)
        with observed_refusals(self._observer):
            checked = await check(
                source, translator, self._input_limits, JSON_LINES, reservation, spool
            )
            await self._lines.check_files(caller, translator.files)
        checked.report_to(self._observer)
        return NewImmediateJob(
            model=batch.model,
            display_name=batch.display_name,
            kind=batch.kind,
            invocation=checked.endpoint,
            table=checked.table,
            input=translated(
                source, self._lines.translator(caller, batch), JSON_LINES, checked.extent
            ),
            warnings=translator.warnings.render(),
        )

    async def _input(self, caller: Caller, batch: NewBatch) -> BatchInput:
        if not isinstance(batch.source, str):
            return InlineInput(batch.source, self._memory)
        file_id = parse_file_id(batch.source)
        if file_id.kind is not FileKind.STAGED:
            raise not_found(
                f"the proxy does not keep the file {batch.source[:120]}, and it runs the batches "
                f"of {self.name} itself: upload the requests again through the proxy, with a name "
                "that ends in .jsonl"
            )
        await self._staged.get(caller, file_id.native)  # once: the content is opened twice
        opened = partial(self._staged.opened, caller, file_id.native)
        splitter = LineSplitter(self._limits.line, self._memory)
        return FileInput(opened, splitter, self._lines.formats(batch))
