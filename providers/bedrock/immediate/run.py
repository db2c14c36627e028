"""One owner's work on one job, from its claim to the job's end, or until it has to stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from functools import partial
from itertools import pairwise
from typing import Final

from providers.bedrock.immediate.claims import Lease, LostClaim, Progress
from providers.bedrock.immediate.course import Course, Halted
from providers.bedrock.immediate.input_segments import ANSWER_BYTES, records_of, working_bytes
from providers.bedrock.immediate.job_store import Ending, ImmediateJob
from providers.bedrock.immediate.job_work import JobWork, Segment
from providers.bedrock.immediate.means import CALLS_OF_A_JOB, Means
from providers.bedrock.immediate.record_answers import Asking, RecordAnswers
from providers.bedrock.immediate.record_call import NoCalls
from providers.bedrock.immediate.result_line import is_error
from providers.bedrock.immediate.working_memory import Room
from providers.credential import Caller
from providers.errors import FerryError
from providers.resources import BatchState

_log: Final = logging.getLogger("genai_ferry.bedrock")


class Run:
    """`end` writes down how the job ended; False where another owner was first to."""

    def __init__(
        self,
        job: ImmediateJob,
        work: JobWork,
        lease: Lease,
        caller: Caller,
        means: Means,
        end: Callable[[Ending], Awaitable[bool]],
    ) -> None:
        self._job = job
        self._work = work
        self._lease = lease
        self._means = means
        self._end = end
        self._course = Course(lease, work, means.clock)
        asking = Asking(job, work, caller, lease.owner)
        self._answers = RecordAnswers(asking, means, self._course)
        self._slots = asyncio.Semaphore(CALLS_OF_A_JOB)
        self._over = asyncio.Event()
        self._left = False
        self._refused = False
        self._recorded: set[int] = set()
        self._failed = lease.progress.failed

    @property
    def progress(self) -> Progress:
        # The claim says more until the results have been listed.
        answered = max(len(self._recorded), self._lease.progress.answered)
        return Progress(answered, self._failed)

    @property
    def refused(self) -> bool:
        """Whether it stopped because no call of its caller's could be made."""
        return self._refused

    def cancel(self) -> None:
        """Begin no further call. The job has been marked as cancelled before."""
        self._course.halt()

    def leave(self) -> None:
        """Begin no further call, and leave what then has no result to the next owner."""
        self._left = True
        self._course.halt()

    async def over(self) -> None:
        """Wait until no call is in flight and all results are recorded."""
        await self._over.wait()

    async def carry_out(self) -> bool:
        """Whether the job has ended: whatever ends this before leaves it to the next owner."""
        try:
            return await self._carry_out_claimed()
        finally:
            self._over.set()

    async def _carry_out_claimed(self) -> bool:
        ended = lost = False
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(self._lease.keep(lambda: self.progress))
                expiring = group.create_task(self._lease.expire())
                ended = await self._to_its_end()
                keeping.cancel()
                expiring.cancel()
        except* LostClaim:
            lost = True
            _log.info("the claim on an immediate batch was lost")
        finally:
            if not (ended or lost):
                await self._lease.give_up(self.progress)
        return ended

    async def _to_its_end(self) -> bool:
        self._recorded = await self._work.recorded()
        await self._answer_all()
        cancelled = await self._work.cancelled()
        if self._left and not cancelled and len(self._recorded) < self._job.count:
            return False
        await self._finish(BatchState.CANCELLED if cancelled else BatchState.SUCCEEDED)
        return True

    async def _finish(self, state: BatchState) -> None:
        # No other owner has this epoch, so none writes an output of this number.
        number = self._lease.epoch
        made = await self._work.write_output(number)
        ending = Ending(
            state,
            self._lease.started,
            self._means.clock.now(),
            made.answered - made.failed,
            made.failed,
            number,
        )
        if not await self._end(ending):
            await self._work.delete_output(number)
            raise LostClaim
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
        """Begin the calls of a segment. All that they take of memory is taken at once."""
        size = working_bytes(segment.size, count)
        room = await self._means.memory.take(size, self._course.pause)
        try:
            for index, line in records_of(segment.first, await self._read(segment)):
                if index not in self._recorded:
                    await self._begin(calls, index, line, room)
        finally:
            room.let_go()

    async def _read(self, segment: Segment) -> bytes:
        text = await self._course.patiently(partial(self._work.read_segment, segment))
        if text is None:
            raise LostClaim  # whoever ended the job has cleared it
        return text

    async def _begin(self, calls: asyncio.TaskGroup, index: int, line: bytes, room: Room) -> None:
        """Wait for a slot, and begin a record. Raises Halted."""
        with ExitStack() as held:
            await self._slots.acquire()
            held.callback(self._slots.release)
            await self._course.check()
            room.hold()
            held.callback(room.let_go)
            task = calls.create_task(self._carry_out(index, line, room))
            # Not within the task: one that is cancelled before it begins runs nothing.
            given_back = held.pop_all()
            task.add_done_callback(lambda _: given_back.close())

    async def _carry_out(self, index: int, line: bytes, room: Room) -> None:
        try:
            result = await self._answers.result(index, line)
        except Halted:
            return
        except NoCalls as refusal:
            self._stop_for(refusal.error)
            return
        room.grow_if_possible(max(0, len(result) - ANSWER_BYTES))
        await self._course.patiently(partial(self._work.record, index, result))
        self._recorded.add(index)
        self._failed += is_error(result)

    def _stop_for(self, error: FerryError) -> None:
        if not self._refused:
            # A refusal of AWS's may quote the request, so only its type is told.
            why = error.message if error.provider is None else error.reason or error.status
            _log.warning("an immediate batch waits, as no call can be made for it: %s", why)
        self._refused = True
        self.leave()
