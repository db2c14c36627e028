"""Batches at Bedrock: jobs, or immediate batches."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from providers.aws.s3 import S3
from providers.aws.target import AwsTarget, AwsTargets, settings_prefix
from providers.batches.batch_input import BatchInput, FileInput, InlineInput
from providers.batches.batch_target import FoundBatch
from providers.batches.checked_input import observed_refusals
from providers.batches.immediate.creation import NewImmediateJob
from providers.batches.immediate.jobs import ImmediateJobs, ImmediateUse
from providers.batches.json_lines import LineSplitter
from providers.batches.repeats import Attempt
from providers.bedrock.content.native_lines import NativeRules, line_formats
from providers.bedrock.content.prompt_cache import cache_of
from providers.bedrock.files import key_of, no_such_file
from providers.bedrock.jobs.job_batches import JobBatches
from providers.bedrock.jobs.job_creation import NewJob
from providers.bedrock.jobs.job_input import JobInput, ReadyInput, ready, ready_for_a_job
from providers.bedrock.jobs.job_media import Media
from providers.credential import Caller
from providers.errors import FerryError, NotFound, invalid_argument
from providers.memory import Limits, MemoryBudget, Reservation
from providers.observation import Observer
from providers.prompt_cache import CacheLife, requested_cache
from providers.resources import Batch, BatchKind, NewBatch, Page
from providers.spool import Spool
from providers.status import Status

_PRECONDITION_FAILED = 412


class BedrockBatchTarget:
    """Implements `providers.batches.batch_target.BatchTarget`.

    `minimum` is the number of records in a job; `use` says which batches `immediate` runs.
    """

    def __init__(
        self,
        targets: AwsTargets,
        jobs: JobBatches,
        immediate: ImmediateJobs,
        use: ImmediateUse,
        minimum: int,
        memory: MemoryBudget,
        limits: Limits,
        cache: CacheLife | None,
        observer: Observer,
    ) -> None:
        self.name = jobs.jobs.name
        self._targets = targets
        self._jobs = jobs
        self._immediate = immediate
        self._use = use
        self._minimum = minimum
        self._memory = memory
        self._limits = limits
        self._cache = cache
        self._observer = observer

    async def make(self, caller: Caller, batch: NewBatch, attempt: Attempt) -> FoundBatch:
        new = secrets.token_hex(16)
        job_id = await attempt.join(new)
        earlier = None if job_id == new else await self._find_attempt(caller, job_id)
        if earlier is not None:
            return earlier
        job = NewJob(job_id, await self._targets.of(caller), batch, attempt)
        async with self._limits.open_spool() as spool:
            with self._memory.reserve() as reservation:
                return await self._create(caller, job, spool, reservation)

    async def find(self, caller: Caller, batch_id: str) -> FoundBatch:
        return await self._jobs.find(caller, batch_id)

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        return await self._jobs.page(caller, page_size, page_token)

    async def _find_attempt(self, caller: Caller, job_id: str) -> FoundBatch | None:
        """The batch that an attempt with a lost answer created under our id `job_id`."""
        immediate = await self._immediate.find_attempt(caller, job_id)
        return immediate or await self._jobs.find_attempt(caller, job_id)

    async def _create(
        self, caller: Caller, job: NewJob, spool: Spool, reservation: Reservation
    ) -> FoundBatch:
        with observed_refusals(self._observer):
            found = await self._ready(caller, job, spool, reservation)
        found.checked.report_to(self._observer)
        if self._runs_itself(found):
            return await self._create_immediate(caller, job, found)
        return await self._jobs.create(job, found)

    async def _ready(
        self, caller: Caller, job: NewJob, spool: Spool, reservation: Reservation
    ) -> ReadyInput:
        """The input of a job or of an immediate batch, which its number of requests decides."""
        target, batch = job.target, job.batch
        rules = NativeRules(target.may_read)
        media = Media(target.folder, job.input_folder, batch.file_of_uri)
        source = self._source(target, batch, rules)
        new = JobInput(batch, source, rules, media, spool, self._cache_of(caller, batch))
        found = await ready(new, reservation)
        if found.count < self._minimum and self._use is ImmediateUse.NEVER:
            raise self._too_small(found.count)
        if not self._runs_itself(found):
            found = await ready_for_a_job(found, reservation)
        elif found.input.media.paths:
            media = Media(target.folder, None, batch.file_of_uri)
            found = await ready(replace(found.input, media=media), reservation)
        await found.input.media.check(self._jobs.s3, target)
        return found

    def _cache_of(self, caller: Caller, batch: NewBatch) -> CacheLife | None:
        if batch.kind is BatchKind.EMBED:
            return None
        return cache_of(batch.model, requested_cache(caller), self._cache)

    def _runs_itself(self, found: ReadyInput) -> bool:
        return found.count < self._minimum or self._use is ImmediateUse.ALWAYS

    async def _create_immediate(self, caller: Caller, job: NewJob, found: ReadyInput) -> FoundBatch:
        immediate = NewImmediateJob(
            model=job.batch.model,
            display_name=job.batch.display_name,
            kind=job.batch.kind,
            invocation=found.invocation,
            table=found.checked.table,
            input=found.body(),
            warnings=found.warnings,
        )
        await job.attempt.sending()
        return await self._immediate.create(caller, job.id, immediate)

    def _source(self, target: AwsTarget, batch: NewBatch, rules: NativeRules) -> BatchInput:
        if not isinstance(batch.source, str):
            return InlineInput(batch.source, self._memory)
        splitter = LineSplitter(self._limits.line, self._memory)
        opened = InputObject(self._jobs.s3, target, batch.source).opened
        return FileInput(opened, splitter, line_formats(batch.model, batch.kind, rules))

    def _too_small(self, count: int) -> FerryError:
        settings = settings_prefix(self.name)
        return invalid_argument(
            f"too few records ({count}) for a batch at Bedrock: its quota 'Minimum number of "
            f"records per batch inference job' is {self._minimum} here "
            f"({settings}MIN_RECORDS); with {settings}IMMEDIATE_BATCHES=small the "
            "proxy runs such batches itself, at full price"
        )


class InputObject:
    """Read several times, always with the content of the first time.

    Other tools may overwrite an object while it is read for a batch.
    """

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
