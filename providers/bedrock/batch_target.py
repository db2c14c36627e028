"""Batches at Bedrock in the neutral model: jobs, and immediate batches for those too small."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from providers.aws.s3 import S3
from providers.aws.target import AwsTarget, AwsTargets
from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.batch_target import FoundBatch
from providers.batches.immediate.immediate_batches import ImmediateBatches
from providers.batches.immediate.job_ids import is_immediate
from providers.batches.immediate.job_list import Position, parse_position
from providers.batches.json_lines import LineSplitter
from providers.batches.repeats import Attempt
from providers.bedrock.batch_creation import BatchCreation, Creation
from providers.bedrock.content.native_lines import NativeRules, line_formats
from providers.bedrock.input_object import InputObject
from providers.bedrock.jobs.job_batches import JobBatches
from providers.bedrock.pages import PRINTABLE, PageStart, parse_page_start
from providers.credential import Caller
from providers.json_api.page_tokens import decode_page_token, encode_page_token, no_token
from providers.limits import Limits
from providers.memory import MemoryBudget
from providers.resources import Batch, NewBatch, Page

# Which of the two lists a page token continues.
_IMMEDIATE = "i."
_JOBS = "j."


@dataclass(frozen=True, slots=True)
class BatchBackends:
    jobs: JobBatches
    immediate: ImmediateBatches

    async def find(self, caller: Caller, batch_id: str) -> FoundBatch:
        backend = self.immediate if is_immediate(batch_id) else self.jobs
        return await backend.find(caller, batch_id)

    async def find_attempt(self, caller: Caller, job: str) -> FoundBatch | None:
        """The batch that an attempt with a lost answer created under our id `job`."""
        return await self.immediate.find_attempt(caller, job) or await self.jobs.find_attempt(
            caller, job
        )


class BedrockBatchTarget:
    """Implements `providers.batches.batch_target.BatchTarget`."""

    def __init__(
        self,
        targets: AwsTargets,
        s3: S3,
        backends: BatchBackends,
        creation: BatchCreation,
        name: str,
        memory: MemoryBudget,
        limits: Limits,
    ) -> None:
        self.name = name
        self._targets = targets
        self._s3 = s3
        self._backends = backends
        self._creation = creation
        self._memory = memory
        self._limits = limits

    async def make(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> FoundBatch:
        new = secrets.token_hex(16)
        job = await attempt.join(new)
        earlier = None if job == new else await self._backends.find_attempt(caller, job)
        if earlier is not None:
            return earlier
        target = await self._targets.of(caller)
        rules = NativeRules(target.may_read)
        source = self._input(target, batch, rules)
        creation = Creation(job, caller, target, batch, source, rules, attempt.repeatable)
        with self._memory.reserve() as reservation:
            return await self._creation.create(creation, reservation)

    async def find(self, caller: Caller, batch_id: str) -> FoundBatch:
        return await self._backends.find(caller, batch_id)

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        """One list: first immediate batches, then Bedrock's jobs."""
        start = decode_page_token(page_token, PRINTABLE) if page_token else _IMMEDIATE
        if start.startswith(_JOBS):
            page_start = parse_page_start(start.removeprefix(_JOBS))
            return await self._jobs_page(caller, [], page_size, page_start)
        if not start.startswith(_IMMEDIATE):
            raise no_token()
        after = _position(start.removeprefix(_IMMEDIATE))
        listed = await self._backends.immediate.list(caller, after, page_size)
        batches = [batch for _, batch in listed.jobs]
        if listed.more:
            return Page(batches, encode_page_token(f"{_IMMEDIATE}{listed.last}"))
        return await self._jobs_page(caller, batches, page_size, PageStart())

    def _input(self, target: AwsTarget, batch: NewBatch, rules: NativeRules) -> BatchInput:
        if not isinstance(batch.source, str):
            return InlineInput(batch.source)
        splitter = LineSplitter(self._limits.line, self._memory)
        opened = InputObject(self._s3, target, batch.source).opened
        return FileInput(opened, splitter, line_formats(batch.model, batch.kind, rules))

    async def _jobs_page(
        self, caller: Caller, before: Sequence[Batch], page_size: int, start: PageStart
    ) -> Page[Batch]:
        """Fill up a page that begins with the batches `before`."""
        space = page_size - len(before)
        jobs, following = await self._backends.jobs.list(caller, space or 1, start)
        if space == 0:  # the call only tells whether a page follows
            return Page(before, _jobs_token(start) if jobs else None)
        return Page([*before, *jobs], _jobs_token(following) if following else None)


def _jobs_token(start: PageStart) -> str:
    return encode_page_token(f"{_JOBS}{start}")


def _position(text: str) -> Position | None:
    """Where the list of immediate batches continues; None at its beginning."""
    try:
        return parse_position(text) if text else None
    except ValueError:
        raise no_token() from None
