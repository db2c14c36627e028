"""The creation of a job at Bedrock, in an order that leaves nothing incomplete.

First the requests are stored as one object in a folder for this job, then our own record, then the
job is created. If that fails, the objects and the record are deleted.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from providers.aws.folder import Folder
from providers.aws.s3 import S3
from providers.aws.target import AwsTarget
from providers.batches.batch_records import BatchRecord
from providers.batches.repeats import Attempt, with_unknown_outcome
from providers.bedrock.files import JOBS
from providers.bedrock.jobs.job_input import ReadyInput
from providers.bedrock.jobs.job_memory import JobMemory, KeptJob
from providers.bedrock.jobs.job_records import JobName
from providers.bedrock.jobs.operations import Jobs, job_id_of
from providers.deadlines import time_to_undo
from providers.errors import FerryError
from providers.json_api.client import Answer, outcome_unknown
from providers.resources import NewBatch
from providers.status import Status

INPUT: Final = "input.jsonl"
_CONTENT_TYPE: Final = {"Content-Type": "application/jsonl"}

_log: Final = logging.getLogger("genai_ferry.bedrock")


@dataclass(frozen=True, slots=True)
class NewJob:
    """`id` is ours, 32 digits; all attempts with one idempotency key share it."""

    id: str
    target: AwsTarget
    batch: NewBatch
    attempt: Attempt

    @property
    def name(self) -> str:
        return str(JobName(self.target.tenant_id, self.id))

    @property
    def folder(self) -> Folder:
        return self.target.folder / JOBS / self.id

    @property
    def input_folder(self) -> Folder:
        return self.folder / "input"


class JobCreation:
    def __init__(self, s3: S3, jobs: Jobs, memory: JobMemory) -> None:
        self._s3 = s3
        self._jobs = jobs
        self._memory = memory

    async def create(self, job: NewJob, ready: ReadyInput) -> tuple[Answer, KeptJob]:
        """Bedrock's job, and what is kept of it."""
        document = _document(job, ready)  # raises for a missing setting before anything is made
        try:
            await self._put_input(job, ready)
            record = BatchRecord(
                job.batch.model,
                job.batch.display_name or "",
                ready.checked.table.kind,
                job.batch.kind,
                ready.warnings,
            )
            await self._memory.write(job.id, record, ready.checked.table)
        except BaseException as error:
            with time_to_undo():
                await self._undo_if_alone(job, error)
            raise
        made = await self._make(job, document)
        await self._bind(job, job_id_of(made))
        return await self._shown(job, made), KeptJob(job.id, record)

    async def _put_input(self, job: NewJob, ready: ReadyInput) -> None:
        folder = job.input_folder
        await ready.input.media.copy(self._s3, job.target)
        key = folder.prefix + INPUT
        await self._s3.put(job.target, folder.bucket, key, ready.body(), _CONTENT_TYPE)

    async def _make(self, job: NewJob, document: dict[str, Any]) -> Answer:
        """Create the job. The request token makes repeats safe."""
        await job.attempt.sending()
        try:
            return await self._jobs.create(job.target, document)
        except FerryError as error:
            # This attempt failed, but it or an earlier one with its key may have created the job.
            if job.attempt.repeatable or outcome_unknown(error) or error.status == Status.ABORTED:
                found = await self._found(job, error)
                if found is not None:
                    return found
            await self._undo_if_alone(job, error)
            raise
        except asyncio.CancelledError as left:
            # The client is gone, so no later call will look for this job.
            with time_to_undo():
                if not job.attempt.repeatable and await self._does_not_exist(job):
                    await self._undo(job, left)
            raise

    async def _found(self, job: NewJob, error: FerryError) -> Answer | None:
        """The job that was created if the answer was lost."""
        try:
            return await self._jobs.find(job.target, job.name)
        except FerryError:
            await job.attempt.remember()
            raise with_unknown_outcome(error) from None

    async def _bind(self, job: NewJob, native_id: str) -> None:
        try:
            await self._memory.bind(job.id, native_id)
        except (FerryError, OSError) as error:
            # The job exists: after an error the client would create, and pay for, a second one.
            _log.warning("a job was not bound to its record: %s", type(error).__name__)

    async def _shown(self, job: NewJob, made: Answer) -> Answer:
        try:
            return await self._jobs.get(job.target, job_id_of(made))
        except FerryError:
            # The job was created, and a new job is in this state; the next call shows more.
            return Answer({"status": "Submitted", "jobName": job.name, **made})

    async def _undo_if_alone(self, job: NewJob, error: BaseException) -> None:
        """Delete what was stored, unless another attempt may need it."""
        permanent = isinstance(error, FerryError) and error.permanent
        if not job.attempt.repeatable or (permanent and await self._does_not_exist(job)):
            await self._undo(job, error)

    async def _does_not_exist(self, job: NewJob) -> bool:
        """Whether Bedrock certainly has no such job from any attempt."""
        try:
            return await self._jobs.find(job.target, job.name) is None
        except FerryError:
            return False

    async def _undo(self, job: NewJob, because: BaseException) -> None:
        try:
            await self._s3.clear(job.target, job.folder)
        except FerryError as error:
            # The same error as the creation's usually means that nothing was stored.
            if not (isinstance(because, FerryError) and because.status == error.status):
                _log.warning(
                    "the objects of a failed batch were not deleted: %s", error.status.name
                )
        with suppress(FerryError, OSError):  # it expires otherwise
            await self._memory.forget(job.id)


def _document(job: NewJob, ready: ReadyInput) -> dict[str, Any]:
    """CreateModelInvocationJob (bedrock.md section 2)."""
    folder = job.input_folder
    source = folder.uri() if ready.input.media.paths else folder.uri(INPUT)
    return {
        "jobName": job.name,
        "clientRequestToken": job.id,
        "roleArn": job.target.role_arn,
        "modelId": job.batch.model,
        "modelInvocationType": ready.invocation,
        "inputDataConfig": {"s3InputDataConfig": {"s3InputFormat": "JSONL", "s3Uri": source}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": (job.folder / "output").uri()}},
    }
