"""One owner's work on one job, from its lease until the job ends or the owner has to stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from functools import partial
from itertools import pairwise
from typing import Final

from providers.batches.immediate.input_segments import ANSWER_BYTES, records_of, working_bytes
from providers.batches.immediate.job_store import Ending, ImmediateJob
from providers.batches.immediate.job_work import JobWork, Segment
from providers.batches.immediate.leases import Lease, LeaseLost, Progress
from providers.batches.immediate.record_answers import RecordAnswers, RecordScope
from providers.batches.immediate.record_call import NoCalls
from providers.batches.immediate.run_control import Halted, RunControl
from providers.batches.immediate.run_dependencies import CALLS_OF_A_JOB, RunDependencies
from providers.batches.immediate.working_memory import MemoryShare
from providers.credential import Caller
from providers.errors import FerryError
from providers.resources import BatchState

_log: Final = logging.getLogger("genai_ferry.immediate")


class Run:
    """`end` stores how the job ended; it returns False if another owner was first."""

    def __init__(
        self,
        job: ImmediateJob,
        work: JobWork,
        lease: Lease,
        caller: Caller,
        dependencies: RunDependencies,
        end: Callable[[Ending], Awaitable[bool]],
    ) -> None:
        self._job = job
        self._work = work
        self._lease = lease
        self._dependencies = dependencies
        self._end = end
        self._control = RunControl(lease, work, dependencies.clock)
        scope = RecordScope(job, work, caller, lease.owner)
        self._answers = RecordAnswers(scope, dependencies, self._control)
        self._slots = asyncio.Semaphore(CALLS_OF_A_JOB)
        self._idle = asyncio.Event()
        self._stopped = False
        self._refused = False
        self._recorded: set[int] = set()
        self._failed = lease.progress.failed

    @property
    def progress(self) -> Progress:
        # Until the results have been listed, the lease record knows more.
        answered = max(len(self._recorded), self._lease.progress.answered)
        return Progress(answered, self._failed)

    @property
    def refused(self) -> bool:
        """Whether it stopped because no call of its caller could be made."""
        return self._refused

    def cancel(self) -> None:
        """Begin no further call. The job has already been marked as cancelled."""
        self._control.halt()

    def stop(self) -> None:
        """Begin no further call, and leave records without a result to the next owner."""
        self._stopped = True
        self._control.halt()

    async def wait_until_idle(self) -> None:
        """Wait until no call is in flight and all results are recorded."""
        await self._idle.wait()

    async def run_to_end(self) -> bool:
        """Whether the job has ended; otherwise the next owner continues."""
        try:
            return await self._run_with_lease()
        finally:
            self._idle.set()

    async def _run_with_lease(self) -> bool:
        ended = lost = False
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(self._lease.keep(lambda: self.progress))
                expiring = group.create_task(self._lease.expire())
                ended = await self._answer_and_end()
                keeping.cancel()
                expiring.cancel()
        except* LeaseLost:
            lost = True
            _log.info("the lease on an immediate batch was lost")
        finally:
            if not (ended or lost):
                await self._lease.release(self.progress)
        return ended

    async def _answer_and_end(self) -> bool:
        self._recorded = await self._work.recorded()
        await self._answer_all()
        cancelled = await self._work.cancelled()
        if self._stopped and not cancelled and len(self._recorded) < self._job.count:
            return False
        await self._finish(BatchState.CANCELLED if cancelled else BatchState.SUCCEEDED)
        return True

    async def _finish(self, state: BatchState) -> None:
        # No other owner has this epoch, so no other output has this number.
        number = self._lease.epoch
        made = await self._work.write_output(number, self._dependencies.answerer.error_head)
        ending = Ending(
            state,
            self._lease.started,
            self._dependencies.clock.now(),
            made.answered - made.failed,
            made.failed,
            number,
        )
        if not await self._end(ending):
            await self._work.delete_output(number)
            raise LeaseLost
        await self._work.clear()

    # --- record by record ------------------------------------------------------------------------

    async def _answer_all(self) -> None:
        await self._answers.look_up()
        segments = await self._work.segments()
        firsts = [*(segment.first for segment in segments), self._job.count]
        async with asyncio.TaskGroup() as calls:
            with suppress(Halted):
                for segment, (first, end) in zip(segments, pairwise(firsts), strict=True):
                    if not self._recorded.issuperset(range(first, end)):
                        await self._begin_segment(calls, segment, end - first)

    async def _begin_segment(self, calls: asyncio.TaskGroup, segment: Segment, count: int) -> None:
        """Begin the calls of a segment. All their memory is reserved in one step."""
        size = working_bytes(segment.size, count)
        share = await self._dependencies.memory.take(size, self._control.pause)
        try:
            for index, line in records_of(segment.first, await self._read(segment)):
                if index not in self._recorded:
                    await self._begin(calls, index, line, share)
        finally:
            share.release()

    async def _read(self, segment: Segment) -> bytes:
        text = await self._control.retry_store(partial(self._work.read_segment, segment))
        if text is None:
            raise LeaseLost  # another owner ended the job and cleared it
        return text

    async def _begin(
        self, calls: asyncio.TaskGroup, index: int, line: bytes, share: MemoryShare
    ) -> None:
        """Wait for a slot, then begin a record. Raises Halted."""
        with ExitStack() as held:
            await self._slots.acquire()
            held.callback(self._slots.release)
            await self._control.check()
            share.retain()
            held.callback(share.release)
            task = calls.create_task(self._answer(index, line, share))
            # Not within the task: a task that is cancelled before it begins runs no code.
            given_back = held.pop_all()
            task.add_done_callback(lambda _: given_back.close())

    async def _answer(self, index: int, line: bytes, share: MemoryShare) -> None:
        try:
            result = await self._answers.result(index, line)
        except Halted:
            return
        except NoCalls as refusal:
            self._stop_for(refusal.error)
            return
        share.grow_if_possible(max(0, len(result) - ANSWER_BYTES))
        await self._control.retry_store(partial(self._work.record, index, result))
        self._recorded.add(index)
        self._failed += result.startswith(self._dependencies.answerer.error_head)

    def _stop_for(self, error: FerryError) -> None:
        if not self._refused:
            # A provider's refusal may quote the request, so only its type is logged.
            why = error.message if error.provider is None else error.reason or error.status.name
            _log.warning("an immediate batch waits because no call can be made: %s", why)
        self._refused = True
        self.stop()
