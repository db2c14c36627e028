"""Batches at Bedrock: jobs, or immediate batches."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from providers.aws.s3 import S3
from providers.aws.target import AwsTarget, AwsTargets
from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.immediate.creation import NewImmediateJob
from providers.batches.immediate.jobs import ImmediateJobs, ImmediateUse
from providers.batches.json_lines import LineSplitter
from providers.batches.repeats import Attempt
from providers.batches.target_batches import FoundBatch
from providers.bedrock.content.native_lines import NativeRules, line_formats
from providers.bedrock.jobs.job_batches import JobBatch, JobBatches, JobParts
from providers.bedrock.jobs.job_creation import JobCreation, NewJob, input_folder
from providers.bedrock.jobs.job_input import JobInput, ReadyInput, ready, ready_for_a_job
from providers.bedrock.jobs.job_media import Media
from providers.bedrock.object_files import key_of, no_such_file
from providers.credential import Caller
from providers.errors import FerryError, NotFound, invalid_argument
from providers.memory import Limits, MemoryBudget, Reservation
from providers.resources import Batch, NewBatch, Page
from providers.status import Status

_PRECONDITION_FAILED = 412


@dataclass(frozen=True, slots=True)
class Creation:
    """`job` is our job id, 32 digits; `repeatable`: another attempt may use the same id."""

    job: str
    caller: Caller
    target: AwsTarget
    batch: NewBatch
    source: BatchInput
    rules: NativeRules
    repeatable: bool


class BatchCreation:
    """`minimum` is the number of records in a job; `use` says which batches `immediate` runs.

    `settings` is the prefix of the upstream's settings.
    """

    def __init__(
        self,
        parts: JobParts,
        immediate: ImmediateJobs,
        use: ImmediateUse,
        minimum: int,
        settings: str,
    ) -> None:
        self._settings = settings
        self._parts = parts
        self._jobs = JobCreation(parts.s3, parts.jobs, parts.memory)
        self._immediate = immediate
        self._use = use
        self._minimum = minimum

    async def create(self, creation: Creation, reservation: Reservation) -> FoundBatch:
        target = creation.target
        copy_folder = input_folder(target, creation.job)
        media = Media(target.folder, copy_folder, creation.batch.check_file_name)
        found = await ready(self._input(creation, media), reservation)
        if found.count < self._minimum and self._use is ImmediateUse.NEVER:
            raise self._too_small(found.count)
        if found.count < self._minimum or self._use is ImmediateUse.ALWAYS:
            return await self._create_immediate(creation, found, reservation)
        found = await ready_for_a_job(found, reservation)
        await found.input.media.check(self._parts.s3, target)
        job = NewJob(creation.job, target, creation.batch, creation.repeatable)
        made, kept = await self._jobs.create(job, found)
        return JobBatch(self._parts, target, made, kept)

    async def _create_immediate(
        self, creation: Creation, found: ReadyInput, reservation: Reservation
    ) -> FoundBatch:
        if found.input.media.paths:
            media = Media(creation.target.folder, None)
            found = await ready(self._input(creation, media), reservation)
            await media.check(self._parts.s3, creation.target)
        batch = creation.batch
        job = NewImmediateJob(
            model=batch.model,
            display_name=batch.display_name,
            kind=batch.kind,
            invocation=found.invocation,
            table=found.checked.table,
            input=found.body(),
            warnings=found.warnings,
        )
        return await self._immediate.create(creation.caller, creation.job, job)

    def _input(self, creation: Creation, media: Media) -> JobInput:
        return JobInput(creation.batch, creation.source, creation.rules, media)

    def _too_small(self, count: int) -> FerryError:
        return invalid_argument(
            f"too few records ({count}) for a batch at Bedrock: its quota 'Minimum number of "
            f"records per batch inference job' is {self._minimum} here "
            f"({self._settings}MIN_RECORDS); with {self._settings}IMMEDIATE_BATCHES=small the "
            "proxy runs such batches itself, at full price"
        )


class InputObject:
    """Read several times, always with the content of the first time."""

    def __init__(self, s3: S3, target: AwsTarget, file_id: str) -> None:
        self._s3 = s3
        self._target = target
        self._file_id = file_id
        self._etag: str | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """Raises NOT_FOUND, and ABORTED if the object was overwritten since it was first opened."""
        folder = self._target.folder
        key = key_of(self._file_id, folder)
        try:
            reply = await self._s3.open(self._target, folder.bucket, key, self._etag)
        except FerryError as error:
            raise self._explained(error) from None
        async with reply:
            self._etag = self._etag or reply.headers.get("ETag")
            yield reply.chunks()

    def _explained(self, error: FerryError) -> FerryError:
        if isinstance(error, NotFound):
            return no_such_file(self._file_id)
        if error.upstream_status == _PRECONDITION_FAILED:
            return FerryError(
                Status.ABORTED, "the file of requests was overwritten while it was read"
            )
        return error


class BedrockBatchTarget:
    """Implements `providers.batches.target_batches.BatchTarget`."""

    def __init__(
        self,
        targets: AwsTargets,
        s3: S3,
        jobs: JobBatches,
        immediate: ImmediateJobs,
        creation: BatchCreation,
        name: str,
        memory: MemoryBudget,
        limits: Limits,
    ) -> None:
        self.name = name
        self._targets = targets
        self._s3 = s3
        self._jobs = jobs
        self._immediate = immediate
        self._creation = creation
        self._memory = memory
        self._limits = limits

    async def make(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> FoundBatch:
        new = secrets.token_hex(16)
        job = await attempt.join(new)
        earlier = None if job == new else await self._find_attempt(caller, job)
        if earlier is not None:
            return earlier
        target = await self._targets.of(caller)
        rules = NativeRules(target.may_read)
        source = self._input(target, batch, rules)
        creation = Creation(job, caller, target, batch, source, rules, attempt.repeatable)
        with self._memory.reserve() as reservation:
            return await self._creation.create(creation, reservation)

    async def find(self, caller: Caller, batch_id: str) -> FoundBatch:
        return await self._jobs.find(caller, batch_id)

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        return await self._jobs.page(caller, page_size, page_token)

    async def _find_attempt(self, caller: Caller, job: str) -> FoundBatch | None:
        """The batch that an attempt with a lost answer created under our id `job`."""
        immediate = await self._immediate.find_attempt(caller, job)
        return immediate or await self._jobs.find_attempt(caller, job)

    def _input(self, target: AwsTarget, batch: NewBatch, rules: NativeRules) -> BatchInput:
        if not isinstance(batch.source, str):
            return InlineInput(batch.source)
        splitter = LineSplitter(self._limits.line, self._memory)
        opened = InputObject(self._s3, target, batch.source).opened
        return FileInput(opened, splitter, line_formats(batch.model, batch.kind, rules))
