"""One owner's work on one job, from its lease until the job ends or the owner has to stop."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from itertools import groupby
from typing import Final, TypeAlias

from providers.batches.immediate.calls import (
    CALLS_OF_A_RECORD,
    CallFailed,
    Calls,
    Halted,
    RunDependencies,
    SegmentAttempt,
)
from providers.batches.immediate.job import JobState, Segment
from providers.batches.immediate.leases import Lease, LeaseLost
from providers.batches.immediate.memory import ANSWER_BYTES, CALLS_OF_A_JOB, working_bytes
from providers.batches.immediate.stored import StoredJob
from providers.credential import Caller
from providers.errors import FerryError
from providers.resources import BatchState

# How long an answer may wait for those of its segment; a crash loses it.
RECORD_SECONDS: Final = 10.0
_REPEAT_SECONDS: Final = 1.0

_log: Final = logging.getLogger("genai_ferry.immediate")


Unanswered: TypeAlias = tuple[int, bytes, SegmentAttempt]
"""A record's index, its line and the attempt that it belongs to."""


class Run:
    """Attempts go through the segments in order, a few records at once.

    After an attempt at each segment, the next attempts are for records with an unknown outcome.
    """

    def __init__(
        self, job: StoredJob, lease: Lease, caller: Caller, dependencies: RunDependencies
    ) -> None:
        self._job = job
        self._lease = lease
        self._dependencies = dependencies
        self._error_head = dependencies.answerer.error_head
        self._calls = Calls(job, lease, caller, dependencies)
        self._stopped = False
        self._turn = asyncio.Lock()
        self._recording = asyncio.Lock()
        self._open: list[SegmentAttempt] = []
        self._begun: dict[int, int] = {}
        self._recorded: set[int] = set()
        self.refused = False
        """Whether it stopped because no call of its caller could be made."""
        self.over = asyncio.Event()
        """Set by the caller of `run_to_end` after it: no call is in flight, all is recorded."""

    def cancel(self) -> None:
        """Begin no further call. The job has already been marked as cancelled."""
        self._calls.halted.set()

    def stop(self) -> None:
        """Begin no further call, and leave records without a result to the next owner."""
        self._stopped = True
        self._calls.halted.set()

    async def run_to_end(self) -> bool:
        """Whether the job has ended; otherwise the next owner continues."""
        ended = lost = False
        try:
            async with asyncio.TaskGroup() as group:
                besides = [
                    group.create_task(work)
                    for work in (self._lease.keep(), self._lease.expire(), self._keep_recording())
                ]
                ended = await self._answer_and_end()
                for task in besides:
                    task.cancel()
        except* LeaseLost:
            lost = True
            _log.info("the lease on an immediate batch was lost")
        finally:
            if not (ended or lost):
                await self._lease.release()
        return ended

    async def _answer_and_end(self) -> bool:
        self._recorded, self._begun = await self._job.recorded(), await self._job.begun()
        with suppress(Halted):
            await self._answer_all()
        cancelled = await self._job.cancelled()
        if self._stopped and not cancelled and len(self._recorded) < self._job.record.count:
            return False
        await self._finish(BatchState.CANCELLED if cancelled else BatchState.SUCCEEDED)
        return True

    async def _finish(self, state: BatchState) -> None:
        # No other owner has this epoch, so no other output has this number.
        number = self._lease.record.epoch
        made = await self._job.write_output(number, self._error_head)
        now, started = self._dependencies.clock.now(), self._lease.record.started
        succeeded = made.answered - made.failed
        if not await self._job.end(JobState(state, started, now, succeeded, made.failed, number)):
            await self._job.delete_output(number)
            raise LeaseLost
        await self._job.clear()

    # --- segment by segment ----------------------------------------------------------------------

    async def _answer_all(self) -> None:
        segments = await self._job.segments()
        while left := [each for each in segments if not self._recorded.issuperset(each.records)]:
            await self._attempt(left)
            if len(self._recorded) < self._job.record.count:
                await self._calls.pause(_REPEAT_SECONDS)

    async def _attempt(self, segments: Sequence[Segment]) -> None:
        """One attempt at each segment."""
        try:
            async with aclosing(self._unanswered(segments)) as records:
                async with asyncio.TaskGroup() as workers:
                    for _ in range(CALLS_OF_A_JOB):
                        workers.create_task(self._answer_next(records))
            await self._record_all()
        finally:
            for attempt in self._open:
                attempt.memory.close()
            for attempt in self._open:
                await self._give_back(attempt)
            self._open.clear()

    async def _unanswered(self, segments: Sequence[Segment]) -> AsyncGenerator[Unanswered, None]:
        """The records without a result, each when a call for it may begin. Raises Halted."""
        for segment in segments:
            left = [index for index in segment.records if index not in self._recorded]
            begun = [self._begun.get(index, 0) for index in left]
            # Only an earlier version marked records of a segment one by one.
            number = 1 + max([each for each in begun if each < CALLS_OF_A_RECORD] or begun)
            size = working_bytes(segment.size, len(segment.records))
            memory = await self._dependencies.memory.reserve(size, self._calls.pause)
            attempt = SegmentAttempt(segment.records, number, memory, len(left))
            self._open.append(attempt)
            text = await self._calls.retry_store(self._job.read_segment, segment)
            lines = text.split(b"\n")
            await self._calls.check()
            mark = segment.records, number, self._lease.record.owner
            if not await self._calls.retry_store(self._job.begin, *mark):
                raise LeaseLost
            attempt.marked = True
            for index in left:
                yield index, lines[index - segment.records.start], attempt
            # No memory is reserved for them while the next segment waits.
            del text, lines

    async def _answer_next(self, records: AsyncGenerator[Unanswered, None]) -> None:
        """Answer one record after the other, while there are some and a call may begin."""
        with suppress(Halted, StopAsyncIteration):
            while True:
                async with self._turn:
                    index, line, attempt = await anext(records)
                await self._answer(index, line, attempt)

    async def _answer(self, index: int, line: bytes, attempt: SegmentAttempt) -> None:
        result: bytes | None = None
        try:
            if self._begun.get(index, 0) < CALLS_OF_A_RECORD:
                result = await self._calls.result(index, line, attempt)
            else:
                result = self._calls.render_unknown(line)
        except CallFailed as refusal:
            self._stop_for(refusal.error)
            return
        if result is not None:
            with suppress(FerryError):
                self._dependencies.memory.grow(attempt.memory, len(result) - ANSWER_BYTES)
            attempt.answers[index] = result
        attempt.left -= 1
        waiting = sum(map(len, attempt.answers.values()))
        if not attempt.left or self._calls.halted.is_set() or waiting > ANSWER_BYTES:
            await self._record(attempt)
        if not attempt.left:
            self._begun.update(dict.fromkeys(attempt.records, attempt.number))
            self._open.remove(attempt)
            attempt.memory.close()

    def _stop_for(self, error: FerryError) -> None:
        if not self.refused:
            # A provider's refusal may quote the request, so only its type is logged.
            why = error.message if error.provider is None else error.reason or error.status.name
            _log.warning("an immediate batch waits because no call can be made: %s", why)
        self.refused = True
        self.stop()

    async def _give_back(self, attempt: SegmentAttempt) -> None:
        """Remove the mark of an attempt that was stopped, if no call may have had an effect."""
        if not attempt.marked or attempt.in_doubt:
            return
        try:
            # An owner that was suspended might remove the mark of the next owner's attempt.
            await self._lease.confirm()
            await self._job.forget(attempt.records, attempt.number)
        except (LeaseLost, FerryError, OSError) as error:
            # The records then have one attempt less.
            _log.warning("the mark of an attempt was not removed: %s", type(error).__name__)

    # --- what is recorded ------------------------------------------------------------------------

    async def _keep_recording(self) -> None:
        """Also when the run is halted, because the time to end may be short."""
        while not self._calls.halted.is_set():
            await self._calls.wait(RECORD_SECONDS)
            await self._record_all()

    async def _record_all(self) -> None:
        for attempt in list(self._open):
            await self._record(attempt)

    async def _record(self, attempt: SegmentAttempt) -> None:
        """Record the answers that wait, consecutive ones as one object."""
        async with self._recording:
            answers, attempt.answers = attempt.answers, {}
            for _, run in groupby(enumerate(sorted(answers)), lambda pair: pair[1] - pair[0]):
                indices = [index for _, index in run]
                lines = [answers[index] for index in indices]
                failed = sum(line.startswith(self._error_head) for line in lines)
                results = indices[0], lines, failed
                await self._calls.retry_store(self._job.record_results, *results)
                self._recorded.update(indices)
                attempt.in_doubt.difference_update(indices)
