"""Batches that are jobs at Bedrock."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

from providers.aws.s3 import S3
from providers.aws.target import AwsTarget, AwsTargets
from providers.batches.batch_backends import FoundBatch
from providers.batches.deleted_markers import DeletedMarkers, batch_marker
from providers.batches.ended_results import EndedResults
from providers.batches.json_lines import ResultSplitter
from providers.batches.request_table import RequestTable, RowKind
from providers.bedrock.jobs.job_failures import is_unanswered
from providers.bedrock.jobs.job_keys import JobKeys
from providers.bedrock.jobs.job_memory import JobMemory, KeptJob
from providers.bedrock.jobs.job_records import (
    SOURCE,
    JobName,
    folder_of,
    from_bedrock_job,
    is_visible,
    prefix_of,
    state_of,
)
from providers.bedrock.jobs.job_results import JobResultLines, output_objects
from providers.bedrock.jobs.operations import Jobs, job_id_of
from providers.bedrock.pages import Listed, PageStart, filled_page, seen_after
from providers.credential import Caller
from providers.errors import FerryError, failed_precondition, not_found
from providers.json_api.client import Answer, wrong_state_if_refused
from providers.memory import Reservation
from providers.resource_names import check_native_id, result_file_id
from providers.resources import Batch, BatchState
from providers.status import Status

# Large, so that deleted jobs cost few further pages; Bedrock allows up to 1000.
_JOBS_PAGE: Final = 100


class JobBatches:
    """Implements `providers.batches.batch_backends.BatchBackend`, and lists."""

    def __init__(
        self,
        targets: AwsTargets,
        s3: S3,
        jobs: Jobs,
        memory: JobMemory,
        deleted: DeletedMarkers,
        splitter: ResultSplitter,
        keys: JobKeys,
    ) -> None:
        self._targets = targets
        self._s3 = s3
        self._jobs = jobs
        self._memory = memory
        self._deleted = deleted
        self._splitter = splitter
        self._keys = keys

    async def look_up(self, caller: Caller, batch_id: str) -> FoundBatch:
        target, job = await self._job(caller, batch_id)
        kept = await self._memory.kept(job)
        batch = from_bedrock_job(job, kept.record)
        return FoundBatch(batch, partial(self._results, target, job, kept))

    async def find(self, caller: Caller, job: str) -> Batch | None:
        """The batch that an earlier attempt created under our id `job`."""
        target = await self._targets.of(caller)
        found = await self._jobs.find(target, str(JobName(target.mark, job)))
        return None if found is None else await self._batch(found)

    async def list(
        self, caller: Caller, page_size: int, start: PageStart
    ) -> tuple[Sequence[Batch], PageStart | None]:
        """A page of batches, newest first, and where the next one begins."""
        target = await self._targets.of(caller)
        # Only the tenant's jobs; without tenants every job that the keys can see.
        query = {"nameContains": prefix_of(target.mark)} if target.mark else {}

        async def fetch(token: str | None) -> tuple[Sequence[Listed[Answer]], str | None]:
            page, following = await self._jobs.page(target, _JOBS_PAGE, token, **query)
            names = [batch_marker(job_id_of(job)) for job in page]
            deleted = await self._deleted.deleted_of(names)
            shown = [is_visible(job, target.mark) for job in page]
            listed = [
                Listed(job_id_of(job), job if visible and name not in deleted else None)
                for job, name, visible in zip(page, names, shown, strict=True)
            ]
            return listed, following

        jobs, next_page = await filled_page(fetch, page_size, start, seen_after)
        return await asyncio.gather(*map(self._batch, jobs)), next_page

    async def cancel(self, caller: Caller, batch_id: str) -> None:
        target, job = await self._job(caller, batch_id)
        if state_of(job).terminal:
            raise failed_precondition(f"the batch has ended ({job.get('status')})")
        if state_of(job) is BatchState.CANCELLING:
            return
        try:
            with wrong_state_if_refused():
                await self._jobs.stop(target, batch_id)
        except FerryError as error:
            # Bedrock refuses to stop a stopping job, as in a repeat after a lost answer.
            job = await self._jobs.get(target, batch_id)
            if error.status != Status.FAILED_PRECONDITION or not _is_stopped(job):
                raise

    async def delete(self, caller: Caller, batch_id: str) -> None:
        """Bedrock deletes no job: its objects go, and a deleted marker hides the rest."""
        target, job = await self._job(caller, batch_id)
        if not state_of(job).terminal:
            raise failed_precondition(
                f"the batch is {job.get('status')}; cancel it, wait until it has ended, delete it"
            )
        await self._delete_output(target, job)
        await self._delete_input(target, job)
        await self._deleted.mark_deleted(batch_marker(batch_id))
        ours = await self._memory.job_of(job)
        if ours is not None:
            await self._memory.forget(ours)

    async def delete_results(self, caller: Caller, batch_id: str) -> None:
        target, job = await self._job(caller, batch_id)
        await self._expect_results(target, job, await self._memory.kept(job))
        await self._delete_output(target, job)
        await self._deleted.mark_deleted(result_file_id(batch_id))

    async def _results(self, target: AwsTarget, job: Answer, kept: KeptJob) -> EndedResults:
        await self._expect_results(target, job, kept)
        lines = JobResultLines(self._s3, target, job, self._splitter)
        return EndedResults(
            # If the record is lost, only the table shows whether they came inline.
            inline=kept.record.get(SOURCE, RowKind.METADATA) == RowKind.METADATA,
            lines=lines,
            files=lines,
            table=partial(self._table, target, job, kept),
        )

    async def _job(self, caller: Caller, batch_id: str) -> tuple[AwsTarget, Answer]:
        check_native_id(batch_id, "batch")
        target = await self._targets.of(caller)
        job = await self._jobs.get(target, batch_id)
        if not is_visible(job, target.mark):
            raise not_found(f"there is no batches/{batch_id}")
        if await self._deleted.is_deleted(batch_marker(batch_id)):
            raise not_found(f"batches/{batch_id} was deleted")
        return target, job

    async def _expect_results(self, target: AwsTarget, job: Answer, kept: KeptJob) -> None:
        """Raises NOT_FOUND unless each record has a result, or a reason why it has none."""
        batch_id = job_id_of(job)
        deleted = await self._deleted.is_deleted(result_file_id(batch_id))
        if deleted or not await self._has_results(target, job, kept):
            raise not_found(f"batches/{batch_id} has no results")

    async def _has_results(self, target: AwsTarget, job: Answer, kept: KeptJob) -> bool:
        if not state_of(job).terminal:
            return False
        if not is_unanswered(job) or await self._memory.has_table(kept):
            return True
        return await self._keys.exist(target, job)

    async def _table(
        self, target: AwsTarget, job: Answer, kept: KeptJob, reservation: Reservation
    ) -> RequestTable | None:
        """None if the records are known only from their results."""
        table = await self._memory.table(kept, reservation)
        if table is not None or not is_unanswered(job):
            return table
        return await self._keys.read(target, job, reservation)

    async def _batch(self, job: Answer) -> Batch:
        return from_bedrock_job(job, (await self._memory.kept(job)).record)

    async def _delete_output(self, target: AwsTarget, job: Answer) -> None:
        async for bucket, key in output_objects(self._s3, target, job):
            await self._s3.delete(target, bucket, key)

    async def _delete_input(self, target: AwsTarget, job: Answer) -> None:
        """Delete our objects for the job, but not another tool's input."""
        folder = folder_of(job)
        if folder is not None:
            await self._s3.clear(target, folder)


def _is_stopped(job: Answer) -> bool:
    return state_of(job) in (BatchState.CANCELLING, BatchState.CANCELLED)
