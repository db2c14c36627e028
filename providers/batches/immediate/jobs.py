"""The interface of immediate jobs to the rest of the provider."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from providers.batches.background import Background
from providers.batches.immediate.answerer import Answerer
from providers.batches.immediate.clock import Clock, SystemClock
from providers.batches.immediate.job_creation import JobCreation, NewImmediateJob, table_name
from providers.batches.immediate.job_ids import is_immediate
from providers.batches.immediate.job_list import ListedJobs, Position, newest
from providers.batches.immediate.job_results import JobResults, no_job, no_results
from providers.batches.immediate.job_state import ended_batch, unfinished_batch
from providers.batches.immediate.job_store import Ending, ImmediateJob, JobKey, JobStore
from providers.batches.immediate.leases import Lease, acquire
from providers.batches.immediate.retry_delays import RetryDelays
from providers.batches.immediate.run import Run
from providers.batches.immediate.run_dependencies import CALLS_OF_A_PROCESS, RunDependencies
from providers.batches.immediate.working_memory import WorkingMemory
from providers.batches.json_lines import ResultSplitter
from providers.batches.request_table import RequestTables
from providers.credential import Caller
from providers.errors import NotFound, failed_precondition
from providers.memory import MemoryBudget
from providers.resources import Batch
from providers.state import State

# The rest of a line beside the model's input or output: member names and the record id.
_AROUND_BYTES: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class FoundJob:
    """`ending` is None if the job has not ended; `batch` is without results."""

    key: JobKey
    job: ImmediateJob
    ending: Ending | None
    batch: Batch


class ImmediateJobs:
    """The immediate jobs of one upstream. A caller sees those of its own tenant.

    Every call about an unfinished job resumes it in the background with the caller's credential,
    which only that task keeps, in memory. It is resumed only if the same party, the proxy
    (`ambient`) or the caller, pays as at creation. `line_limit` is in bytes, for a record's input
    and for its output. All methods raise NOT_FOUND for a job that does not exist.
    """

    def __init__(
        self,
        upstream: str,
        state: State,
        memory: MemoryBudget,
        background: Background,
        answerer: Answerer,
        line_limit: int,
        *,
        ambient: bool,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self._upstream = upstream
        self._words = answerer.status_words
        self._background = background
        self._line_limit = line_limit + _AROUND_BYTES
        self._memory = memory
        self._ambient = ambient
        slots = asyncio.Semaphore(CALLS_OF_A_PROCESS)
        self._dependencies = RunDependencies(answerer, WorkingMemory(memory), clock, slots)
        self._store = JobStore(upstream, state)
        self._tables = RequestTables(upstream, state)
        self._creation = JobCreation(
            self._store, self._tables, memory, clock, self._line_limit, ambient
        )
        self._delays = RetryDelays(clock)
        self._runs: dict[JobKey, Run] = {}
        self._draining = False
        background.before_end(self._drain)

    # --- as batches ------------------------------------------------------------------------------

    async def create(self, caller: Caller, job_id: str, new: NewImmediateJob) -> FoundJob:
        """Create the job `job_id` (an id of job_ids.py); a repeat returns the same job."""
        if not is_immediate(job_id):
            raise ValueError(f"{job_id!r} is not the id of an immediate job")
        await self._creation.create(JobKey(caller.tenant, job_id), new)
        return await self.look_up(caller, job_id)

    async def get(self, caller: Caller, job_id: str) -> Batch:
        """Without results."""
        return (await self.look_up(caller, job_id)).batch

    async def look_up(self, caller: Caller, job_id: str) -> FoundJob:
        key, job = await self._find(caller, job_id)
        ending = await self._store.ending(key, job)
        if ending is not None:
            return FoundJob(key, job, ending, ended_batch(job_id, job, ending, self._words))
        return FoundJob(key, job, None, await self._unended_batch(caller, key, job))

    async def list(self, caller: Caller, after: Position | None, limit: int) -> ListedJobs:
        """Newest first; `limit` is at least 1. A job deleted meanwhile is left out."""
        positions = await newest(self._store, caller.tenant, after, limit + 1)
        page = positions[:limit]
        batches = await asyncio.gather(*(self._get_or_none(caller, p.job_id) for p in page))
        listed = [(p, batch) for p, batch in zip(page, batches, strict=True) if batch]
        return ListedJobs(listed, page[-1] if page else None, len(positions) > limit)

    async def cancel(self, caller: Caller, job_id: str) -> None:
        """Calls in flight end, others do not begin. FAILED_PRECONDITION for a job that has ended.

        The replica that has the lease, or gets it next, ends the job.
        """
        key, job = await self._find(caller, job_id)
        ending = await self._store.ending(key, job)
        if ending is not None:
            raise failed_precondition(f"the batch has ended ({ending.state})")
        await self._store.work(key, job).cancel()
        if key in self._runs:
            self._runs[key].cancel()
        # Even with a refused credential: the end takes no call.
        self._start(caller, key)

    async def delete(self, caller: Caller, job_id: str) -> None:
        """Delete the job and all its objects. FAILED_PRECONDITION if it has not ended."""
        key, job = await self._find(caller, job_id)
        if await self._store.ending(key, job) is None:
            raise failed_precondition(
                "the batch has not ended; cancel it, wait until it has ended, delete it"
            )
        # In this order the job cannot reappear or run again.
        await self._store.forget(key)
        await self._store.close(key, job)
        await self._store.work(key, job).delete()
        await self._tables.delete(table_name(key, job))
        await self._store.delete_ending(key, job)

    # --- its results -----------------------------------------------------------------------------

    async def results(self, found: FoundJob) -> JobResults:
        """Raises NOT_FOUND if there are none: it has not ended, or they were deleted."""
        key, job, ending = found.key, found.job, found.ending
        work = self._store.work(key, job)
        if ending is None or not await work.has_output(ending.output):
            raise no_results(key.job_id)
        splitter = ResultSplitter(self._line_limit, self._memory)
        return JobResults(key, job, ending, found.batch, work, self._tables, splitter)

    async def delete_results(self, caller: Caller, job_id: str) -> None:
        """The job stays. Raises NOT_FOUND for one that has not ended."""
        key, job, ending = await self._ended(caller, job_id)
        await self._store.work(key, job).delete_output(ending.output)

    # --- running ---------------------------------------------------------------------------------

    def resume(self, caller: Caller, key: JobKey) -> None:
        """Run the job as soon as its lease is free, unless this process waits for it already.

        Does nothing shortly after a refusal of this credential, or while the process ends.
        """
        if not self._delays.is_delayed(key, caller):
            self._start(caller, key)

    def unfinished_of_proxy(self) -> AsyncIterator[JobKey]:
        """The unfinished jobs of all tenants that the proxy's own credential pays for."""
        return self._store.unfinished_of_proxy()

    def _start(self, caller: Caller, key: JobKey) -> None:
        if not self._draining:
            name = f"immediate batch {self._upstream}/{key}"
            self._background.start(name, partial(self._run, caller, key))

    async def _run(self, caller: Caller, key: JobKey) -> None:
        job = await self._store.find(key)
        if job is None:
            return
        work = self._store.work(key, job)
        lease = await acquire(
            work.leases, self._dependencies.clock, partial(self._is_unfinished, key, job)
        )
        if lease is None or await self._run_with(caller, key, job, lease):
            await self._store.close(key, job)

    async def _run_with(self, caller: Caller, key: JobKey, job: ImmediateJob, lease: Lease) -> bool:
        """Whether the job has ended."""
        work = self._store.work(key, job)
        run = Run(job, work, lease, caller, self._dependencies, partial(self._store.end, key, job))
        self._runs[key] = run
        # A stopped run still ends a job that was cancelled: that takes no call.
        if self._draining or job.ambient is not self._ambient:
            run.stop()
        try:
            return await run.run_to_end()
        finally:
            del self._runs[key]
            if run.refused:
                self._delays.start(key, caller)

    async def _drain(self) -> None:
        """Begin no further call; wait for calls in flight and for their results."""
        self._draining = True
        runs = list(self._runs.values())
        for run in runs:
            run.stop()
        await asyncio.gather(*(run.wait_until_idle() for run in runs))

    async def _is_unfinished(self, key: JobKey, job: ImmediateJob) -> bool:
        if await self._store.ending(key, job) is not None:
            return False
        return await self._store.find(key) == job

    # --- finding ---------------------------------------------------------------------------------

    async def _find(self, caller: Caller, job_id: str) -> tuple[JobKey, ImmediateJob]:
        key = JobKey(caller.tenant, job_id)
        job = await self._store.find(key) if is_immediate(job_id) else None
        if job is None:
            raise no_job(job_id)
        return key, job

    async def _ended(self, caller: Caller, job_id: str) -> tuple[JobKey, ImmediateJob, Ending]:
        """Raises NOT_FOUND for a job that has not ended."""
        key, job = await self._find(caller, job_id)
        ending = await self._store.ending(key, job)
        if ending is None:
            raise no_results(job_id)
        return key, job, ending

    async def _unended_batch(self, caller: Caller, key: JobKey, job: ImmediateJob) -> Batch:
        work = self._store.work(key, job)
        cancelled, lease = await asyncio.gather(work.cancelled(), work.leases.newest())
        if cancelled:
            self._start(caller, key)
        elif job.ambient is self._ambient:
            self.resume(caller, key)
        run = self._runs.get(key)
        progress = run.progress if run else None
        return unfinished_batch(key.job_id, job, cancelled, lease, progress, self._words)

    async def _get_or_none(self, caller: Caller, job_id: str) -> Batch | None:
        try:
            return await self.get(caller, job_id)
        except NotFound:
            return None
