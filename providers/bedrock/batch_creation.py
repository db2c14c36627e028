"""The creation of a batch: a job at Bedrock or an immediate batch."""

from dataclasses import dataclass

from providers.aws.target import AwsTarget
from providers.batches.batch_input import BatchInput
from providers.batches.immediate.creation import NewImmediateJob
from providers.batches.immediate.jobs import ImmediateJobs, ImmediateUse
from providers.batches.target_batches import FoundBatch
from providers.bedrock.content.native_lines import NativeRules
from providers.bedrock.jobs.job_batches import JobBatch, JobParts
from providers.bedrock.jobs.job_creation import JobCreation, NewJob, input_folder
from providers.bedrock.jobs.job_input import JobInput, ReadyInput, ready, ready_for_a_job
from providers.bedrock.jobs.job_media import Media
from providers.credential import Caller
from providers.errors import FerryError, invalid_argument
from providers.memory import Reservation
from providers.resources import NewBatch


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
