"""The immediate jobs of one upstream, and the process's part in running them."""

import asyncio
import logging
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final

from providers.batches.background import Background
from providers.batches.immediate.calls import Answerer, RunDependencies
from providers.batches.immediate.clock import Clock
from providers.batches.immediate.creation import NewImmediateJob, create_job
from providers.batches.immediate.found_batch import ImmediateBatch
from providers.batches.immediate.heartbeats import Heartbeats, key_of
from providers.batches.immediate.job import JobKey, JobState, is_immediate, job_id_of, no_job
from providers.batches.immediate.leases import LEASE_SECONDS, Lease
from providers.batches.immediate.memory import WorkingMemory
from providers.batches.immediate.runner import Run
from providers.batches.immediate.stored import StoredJob, find_job
from providers.batches.json_lines import LineSplitter, ResultSplitter
from providers.credential import Caller
from providers.errors import FerryError, invalid_argument
from providers.json_api.page_tokens import no_token
from providers.limits import IMMEDIATE_EXTRA
from providers.memory import MemoryBudget
from providers.observation import UNOBSERVED, Observer
from providers.pagings import Pagings, new_paging, split_token, token_in
from providers.resources import Batch, BatchState
from providers.state import State
from providers.stored_objects import IMMEDIATE

# A caller that polls its batch every second must not cause a refusal every second.
DELAY_SECONDS: Final = 60.0
_POSITION: Final = re.compile(r"([0-9]{1,12})\.([a-z0-9-]{1,64})")
Position = tuple[int, str]
"""The position of a job in the list: its negative time in seconds, so newer come first, and id."""

_log: Final = logging.getLogger("genai_ferry.immediate")


class ImmediateUse(StrEnum):
    """Which new batches the proxy runs itself."""

    NEVER = "never"
    SMALL = "small"
    """Those that are too small for the provider."""
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class ImmediateOptions:
    """`requests`: the most in one batch, by `setting`. `calls`: the most at once in one process."""

    use: ImmediateUse
    requests: int
    calls: int
    setting: str


class ImmediateJobs:
    """A caller sees the jobs of its own tenant.

    Every call about an unfinished job resumes it in the background with the caller's credential,
    which only that task keeps, in memory. It is resumed only if the same party, the proxy
    (`ambient`) or the caller, pays as at creation. `line_limit` is in bytes, for a record's input
    and for its output. The caller's headers and key are checked as for a batch of the provider.
    """

    def __init__(
        self,
        upstream: str,
        state: State,
        memory: MemoryBudget,
        background: Background,
        answerer: Answerer,
        line_limit: int,
        options: ImmediateOptions,
        *,
        ambient: bool,
        clock: Clock | None = None,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._upstream = upstream
        self._background = background
        self._answerer = answerer
        self._ambient = ambient
        self._clock = clock or Clock()
        self._heartbeats = Heartbeats(upstream, state, self._clock)
        self._options = options
        slots = asyncio.Semaphore(options.calls)
        self._dependencies = RunDependencies(
            answerer, WorkingMemory(memory), self._clock, slots, observer
        )
        self._state = state
        limit = line_limit + IMMEDIATE_EXTRA
        self._memory = memory
        self._lines = LineSplitter(limit, memory)
        self._splitter = ResultSplitter(limit, memory)
        self._delayed: dict[tuple[JobKey, int], float] = {}
        self._runs: dict[JobKey, Run] = {}
        self._pagings = Pagings[Sequence[Position]]()
        self._draining = False
        background.before_end(self._drain)

    # --- as batches ------------------------------------------------------------------------------

    async def create(
        self, caller: Caller, creation_key: str, new: NewImmediateJob
    ) -> ImmediateBatch:
        """Create the job of `creation_key`; a repeat returns the same job."""
        if len(new.table) > self._options.requests:
            raise invalid_argument(
                f"too many requests ({len(new.table)}) for a batch that the proxy runs itself: at "
                f"most {self._options.requests} ({self._options.setting})"
            )
        key = JobKey(caller.tenant, job_id_of(creation_key))
        if await self._job(key) is None:
            record = new.record(self._clock.now(), self._ambient)
            job = StoredJob(self._upstream, self._state, key, record)
            await create_job(job, new, self._lines, self._memory)
        return await self.find(caller, key.job_id)

    async def find(self, caller: Caller, batch_id: str) -> ImmediateBatch:
        """Raises NOT_FOUND."""
        await self._answerer.check(caller)
        found = await self._find(caller, batch_id)
        if found is None:
            raise no_job(batch_id)
        return found

    async def find_attempt(self, caller: Caller, creation_key: str) -> ImmediateBatch | None:
        """The batch that an earlier attempt created for `creation_key`."""
        await self._answerer.check(caller)
        return await self._find(caller, job_id_of(creation_key))

    async def list(
        self, caller: Caller, after: str, limit: int
    ) -> tuple[Sequence[Batch], str | None]:
        """Newest first: at most `limit` after the position `after`, and where the rest begins.

        A position stays valid after its job's deletion. A job deleted meanwhile is left out.
        """
        await self._answerer.check(caller)
        paging, position = split_token(after) if after else (new_paging(), "")
        start = parse_position(position) if position else None
        paging_id = (caller.tenant, paging)
        kept = self._pagings.names(paging_id) if after else None
        listed = await self._positions(caller.tenant) if kept is None else kept
        begin = 0 if start is None else bisect_right(listed, start)
        page, more = listed[begin : begin + limit], len(listed) > begin + limit
        if more and kept is None:
            self._pagings.keep(paging_id, listed)
        found = await asyncio.gather(*(self._find(caller, job_id) for _, job_id in page))
        following = token_in(paging, render_position(page[-1])) if more else None
        return [each.batch for each in found if each], following

    async def _positions(self, tenant: str) -> Sequence[Position]:
        """Of all jobs of the tenant, in the order of the list.

        They use the store's time in whole seconds, since some stores give fractions only in some
        answers. Jobs of the same second are ordered by id.
        """
        # Their names end in the ids.
        records = IMMEDIATE.name(self._upstream, tenant, "")
        return sorted(
            [
                (-int(info.created.timestamp()), info.name.rpartition("/")[2])
                async for info in self._state.list(records)
            ]
        )

    async def _find(self, caller: Caller, job_id: str) -> ImmediateBatch | None:
        key = JobKey(caller.tenant, job_id)
        job = await self._job(key) if is_immediate(job_id) else None
        if job is None:
            return None
        state = await job.ending() or await self._unfinished(caller, job)
        cancelled = partial(self._cancelled, caller, key)
        return ImmediateBatch(caller, job, state, self._answerer, self._splitter, cancelled)

    async def _unfinished(self, caller: Caller, job: StoredJob) -> JobState:
        cancelled, lease, made = await asyncio.gather(
            job.cancelled(), self._lease(job).newest(), job.progress()
        )
        state = BatchState.RUNNING if lease else BatchState.PENDING
        if cancelled:
            state = BatchState.CANCELLING
            self._start(caller, job.key)
        elif job.record.ambient is self._ambient:
            self._resume(caller, job.key)
        started = lease.started if lease else None
        return JobState(state, started, None, made.answered - made.failed, made.failed, None)

    def _lease(self, job: StoredJob) -> Lease:
        return job.lease(self._heartbeats, self._clock)

    async def _job(self, key: JobKey) -> StoredJob | None:
        return await find_job(self._upstream, self._state, key)

    # --- running ---------------------------------------------------------------------------------

    async def resume_periodically(self, caller_of: Callable[[str], Caller]) -> None:
        """Resume the unfinished jobs that the proxy's own credential pays for.

        `caller_of` returns the caller for a tenant on that credential. For `Background.start`.
        """
        while True:
            try:
                await self._heartbeats.look()
            except (FerryError, OSError) as error:  # from the store; the next look tries again
                _log.warning("unfinished batches could not be listed: %s", type(error).__name__)
                continue
            for job in self._heartbeats.unfinished:
                key = key_of(job)
                if key is not None and self._heartbeats.silence(job) >= LEASE_SECONDS:
                    self._resume(caller_of(key.tenant), key)

    def _resume(self, caller: Caller, key: JobKey) -> None:
        """Run the job as soon as its lease is free, unless this process waits for it already.

        Does nothing shortly after a refusal of this credential, or while the process ends.
        """
        if self._clock.monotonic() >= self._delayed.get((key, _hash_of(caller)), 0.0):
            self._start(caller, key)

    def _start(self, caller: Caller, key: JobKey) -> None:
        if not self._draining:
            name = f"immediate batch {self._upstream}/{key}"
            self._background.start(name, partial(self._run, caller, key))

    def _cancelled(self, caller: Caller, key: JobKey) -> None:
        if key in self._runs:
            self._runs[key].cancel()
        # Even with a refused credential: the end takes no call.
        self._start(caller, key)

    async def _run(self, caller: Caller, key: JobKey) -> None:
        job = await self._job(key)
        if job is None:
            return
        lease = self._lease(job)
        acquired = await lease.acquire(partial(self._is_unfinished, job))
        if not acquired or await self._run_with(caller, job, lease):
            await job.close()

    async def _run_with(self, caller: Caller, job: StoredJob, lease: Lease) -> bool:
        """Whether the job has ended."""
        run = Run(job, lease, caller, self._dependencies)
        self._runs[job.key] = run
        # A stopped run still ends a job that was cancelled: that takes no call.
        if self._draining or job.record.ambient is not self._ambient:
            run.stop()
        try:
            return await run.run_to_end()
        finally:
            run.over.set()
            del self._runs[job.key]
            if run.refused:
                now = self._clock.monotonic()
                self._delayed = {each: end for each, end in self._delayed.items() if end > now}
                self._delayed[job.key, _hash_of(caller)] = now + DELAY_SECONDS

    async def _drain(self) -> None:
        """Begin no further call; wait for calls in flight and for their results."""
        self._draining = True
        runs = list(self._runs.values())
        for run in runs:
            run.stop()
        await asyncio.gather(*(run.over.wait() for run in runs))

    async def _is_unfinished(self, job: StoredJob) -> bool:
        if await job.ending() is not None:
            return False
        found = await self._job(job.key)
        return found is not None and found.record == job.record


def _hash_of(caller: Caller) -> int:
    """A keyed hash, of another key in each process. Credentials are not kept."""
    return hash((caller.credential.secret, *sorted(caller.headers.items())))


def render_position(position: Position) -> str:
    seconds, job_id = position
    return f"{-seconds}.{job_id}"


def parse_position(text: str) -> Position:
    """Raises INVALID_ARGUMENT."""
    found = _POSITION.fullmatch(text)
    if found is None:
        raise no_token()
    return -int(found[1]), found[2]
