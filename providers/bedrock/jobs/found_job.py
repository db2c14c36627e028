"""A batch that is a job, which Bedrock has shown to a caller."""

from dataclasses import dataclass, field

from providers.aws.s3 import S3
from providers.aws.target import AwsTarget
from providers.batches.deleted_markers import DeletedMarkers, batch_marker
from providers.batches.ended_results import EndedResults
from providers.batches.json_lines import ResultSplitter
from providers.batches.request_table import RequestTable, RowKind
from providers.bedrock.jobs.job_failures import is_unanswered
from providers.bedrock.jobs.job_keys import JobKeys
from providers.bedrock.jobs.job_memory import JobMemory, KeptJob
from providers.bedrock.jobs.job_records import folder_of, from_bedrock_job, state_of
from providers.bedrock.jobs.job_results import JobResultLines, output_objects
from providers.bedrock.jobs.operations import Jobs, job_id_of
from providers.errors import FerryError
from providers.json_api.client import Answer, wrong_state_if_refused
from providers.memory import Reservation
from providers.resource_names import result_file_id
from providers.resources import Batch, BatchState
from providers.status import Status


@dataclass(frozen=True, slots=True)
class JobParts:
    """What the jobs of one upstream consist of, at AWS and in the state store."""

    s3: S3
    jobs: Jobs
    memory: JobMemory
    deleted: DeletedMarkers
    splitter: ResultSplitter
    keys: JobKeys


@dataclass(frozen=True, slots=True)
class JobBatch:
    """Implements `providers.batches.target_batches.FoundBatch`."""

    parts: JobParts
    target: AwsTarget = field(repr=False)
    job: Answer = field(repr=False)
    kept: KeptJob = field(repr=False)

    @property
    def id(self) -> str:
        return job_id_of(self.job)

    @property
    def batch(self) -> Batch:
        return from_bedrock_job(self.job, self.kept.record)

    async def cancel(self) -> None:
        if state_of(self.job) is BatchState.CANCELLING:
            return
        try:
            with wrong_state_if_refused():
                await self.parts.jobs.stop(self.target, self.id)
        except FerryError as error:
            # Bedrock refuses to stop a stopping job, as in a repeat after a lost answer.
            job = await self.parts.jobs.get(self.target, self.id)
            stopped = state_of(job) in (BatchState.CANCELLING, BatchState.CANCELLED)
            if error.status is not Status.FAILED_PRECONDITION or not stopped:
                raise

    async def delete(self) -> None:
        """Bedrock deletes no job: its objects go, and a deleted marker hides the rest."""
        await self._delete_output()
        folder = folder_of(self.job)
        if folder is not None:  # None: another tool's input
            await self.parts.s3.clear(self.target, folder)
        await self.parts.deleted.mark_deleted(batch_marker(self.id))
        if self.kept.job is not None:
            await self.parts.memory.forget(self.kept.job)

    async def delete_results(self) -> None:
        await self._delete_output()
        await self.parts.deleted.mark_deleted(result_file_id(self.id))

    async def results(self) -> EndedResults | None:
        if await self.parts.deleted.is_deleted(result_file_id(self.id)):
            return None
        lines = JobResultLines(self.parts.s3, self.target, self.job, self.parts.splitter)
        return EndedResults(
            # If the record is lost, only the table shows whether they came inline.
            inline=self.kept.record.source is RowKind.METADATA,
            lines=lines,
            files=lines,
            table=self._table,
            exist=self._has_results,
        )

    async def _has_results(self) -> bool:
        if not is_unanswered(self.job) or await self.parts.memory.has_table(self.kept):
            return True
        return await self.parts.keys.exist(self.target, self.job)

    async def _table(self, reservation: Reservation) -> RequestTable | None:
        """None if the records are known only from their results."""
        table = await self.parts.memory.table(self.kept, reservation)
        if table is not None or not is_unanswered(self.job):
            return table
        return await self.parts.keys.read(self.target, self.job, reservation)

    async def _delete_output(self) -> None:
        async for bucket, key in output_objects(self.parts.s3, self.target, self.job):
            await self.parts.s3.delete(self.target, bucket, key)
