"""Batches that are jobs at Bedrock."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from providers.aws.client import AwsClient
from providers.aws.s3 import S3
from providers.aws.target import AwsTarget, AwsTargets
from providers.batches.batch_target import FoundBatch
from providers.batches.deleted_markers import DeletedMarkers, batch_marker
from providers.batches.ended_results import EndedResults
from providers.batches.json_lines import NumberedSplitter, ResultSplitter
from providers.batches.request_table import RequestTable, RowKind
from providers.bedrock.jobs.job_creation import JobCreation, NewJob
from providers.bedrock.jobs.job_input import ReadyInput
from providers.bedrock.jobs.job_memory import JobMemory, KeptJob
from providers.bedrock.jobs.job_objects import JobKeys, JobResultLines, output_objects
from providers.bedrock.jobs.job_records import (
    JobName,
    folder_of,
    from_bedrock_job,
    is_unanswered,
    is_visible,
    prefix_of,
    state_of,
)
from providers.bedrock.jobs.operations import Jobs, job_id_of
from providers.bedrock.pages import Listed, filled_page, seen_after
from providers.credential import Caller
from providers.errors import FerryError, not_found
from providers.json_api.client import Answer, wrong_state_if_refused
from providers.memory import MemoryBudget, Reservation
from providers.resource_names import check_native_id, result_file_id
from providers.resources import Batch, BatchState, Page
from providers.state import State
from providers.status import Status


class JobBatches:
    """The jobs of one upstream. `line_limit` in bytes bounds a line of input or results."""

    def __init__(
        self,
        client: AwsClient,
        targets: AwsTargets,
        state: State,
        memory: MemoryBudget,
        line_limit: int,
    ) -> None:
        self.s3 = S3(client)
        self.jobs = Jobs(client)
        self.memory = JobMemory(client.name, state)
        self.deleted = DeletedMarkers(client.name, state)
        self.splitter = ResultSplitter(line_limit, memory)
        self.keys = JobKeys(self.s3, NumberedSplitter(line_limit, memory))
        self._creation = JobCreation(self.s3, self.jobs, self.memory)
        self._targets = targets

    async def create(self, job: NewJob, ready: ReadyInput) -> FoundBatch:
        made, kept = await self._creation.create(job, ready)
        return JobBatch(self, job.target, made, kept)

    async def find(self, caller: Caller, batch_id: str) -> FoundBatch:
        check_native_id(batch_id, "batch")
        target = await self._targets.of(caller)
        job = await self.jobs.get(target, batch_id)
        if not is_visible(job, target.tenant_id):
            raise not_found(f"there is no batches/{batch_id}")
        await self.deleted.check_batch(batch_id, state_of(job))
        return JobBatch(self, target, job, await self.memory.kept(job))

    async def find_attempt(self, caller: Caller, job: str) -> FoundBatch | None:
        """The batch that an earlier attempt created under our id `job`."""
        target = await self._targets.of(caller)
        found = await self.jobs.find(target, str(JobName(target.tenant_id, job)))
        if found is None:
            return None
        return JobBatch(self, target, found, await self.memory.kept(found))

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        """Newest first."""
        target = await self._targets.of(caller)
        # Only the tenant's jobs; without tenants every job that the keys can see.
        query = {"nameContains": prefix_of(target.tenant_id)} if target.tenant_id else {}

        async def fetch(token: str | None) -> tuple[Sequence[Listed[Answer]], str | None]:
            page, following = await self.jobs.page(target, token, **query)
            return [Listed(job_id_of(job), job) for job in page], following

        async def visible(listed: Sequence[Listed[Answer]]) -> Sequence[Listed[Answer]]:
            own = [each for each in listed if is_visible(each.item, target.tenant_id)]
            deleted = await self.deleted.deleted_of([batch_marker(each.id) for each in own])
            return [each for each in own if batch_marker(each.id) not in deleted]

        jobs, next_token = await filled_page(fetch, page_size, page_token, seen_after, visible)
        kept = await asyncio.gather(*map(self.memory.kept, jobs))
        batches = [from_bedrock_job(job, k.record) for job, k in zip(jobs, kept, strict=True)]
        return Page(batches, next_token)


@dataclass(frozen=True, slots=True)
class JobBatch:
    """Implements `providers.batches.batch_target.FoundBatch`."""

    batches: JobBatches = field(repr=False)
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
                await self.batches.jobs.stop(self.target, self.id)
        except FerryError as error:
            # Bedrock refuses to stop a stopping job, as in a repeat after a lost answer.
            job = await self.batches.jobs.get(self.target, self.id)
            stopped = state_of(job) in (BatchState.CANCELLING, BatchState.CANCELLED)
            if error.status is not Status.FAILED_PRECONDITION or not stopped:
                raise

    async def delete(self) -> None:
        """Bedrock deletes no job: its objects go, and a deleted marker hides the rest."""
        await self._delete_output()
        folder = folder_of(self.job)
        if folder is not None:  # None: another tool's input
            await self.batches.s3.clear(self.target, folder)
        await self.batches.deleted.mark_deleted(batch_marker(self.id))
        if self.kept.job is not None:
            await self.batches.memory.forget(self.kept.job)

    async def delete_results(self) -> None:
        await self._delete_output()
        await self.batches.deleted.mark_deleted(result_file_id(self.id))

    async def results(self) -> EndedResults | None:
        if await self.batches.deleted.is_deleted(result_file_id(self.id)):
            return None
        return EndedResults(
            # If the record is lost, only the table shows whether they came inline.
            inline=self.kept.record.source is RowKind.METADATA,
            lines=JobResultLines(self.batches.s3, self.target, self.job, self.batches.splitter),
            table=self._table,
            exist=self._has_results,
        )

    async def _has_results(self) -> bool:
        if not is_unanswered(self.job) or await self.batches.memory.has_table(self.kept):
            return True
        return await self.batches.keys.exist(self.target, self.job)

    async def _table(self, reservation: Reservation) -> RequestTable | None:
        """None if the records are known only from their results."""
        table = await self.batches.memory.table(self.kept, reservation)
        if table is not None or not is_unanswered(self.job):
            return table
        return await self.batches.keys.read(self.target, self.job, reservation)

    async def _delete_output(self) -> None:
        async for bucket, key in output_objects(self.batches.s3, self.target, self.job):
            await self.batches.s3.delete(self.target, bucket, key)
