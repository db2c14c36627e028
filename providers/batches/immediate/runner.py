"""One owner's work on one job, from its lease until the job ends or the owner has to stop."""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from providers.batches.immediate.calls import (
    Call,
    CallFailed,
    RecordCalls,
    RunDependencies,
)
from providers.batches.immediate.control import Halted, RunControl
from providers.batches.immediate.job import Ending
from providers.batches.immediate.leases import Lease, LeaseLost
from providers.batches.immediate.memory import (
    ANSWER_BYTES,
    CALLS_OF_A_JOB,
    grow_if_possible,
    working_bytes,
)
from providers.batches.immediate.stored import Segment, StoredJob
from providers.credential import Caller
from providers.errors import FerryError
from providers.memory import Reservation
from providers.resources import BatchState

# How long an answer may wait for those of its segment; a crash loses it.
RECORD_SECONDS: Final = 10.0

_log: Final = logging.getLogger("genai_ferry.immediate")


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """A segment under way. `memory` is held until all its answers are recorded."""

    records: range
    first_call: Call
    memory: Reservation


class Run:
    def __init__(
        self, job: StoredJob, lease: Lease, caller: Caller, dependencies: RunDependencies
    ) -> None:
        self._job = job
        self._lease = lease
        self._dependencies = dependencies
        self._error_head = dependencies.answerer.error_head
        self._control = RunControl(lease, job, dependencies.clock)
        self._calls = RecordCalls(job, caller, dependencies, self._control)
        self._slots = asyncio.Semaphore(CALLS_OF_A_JOB)
        self._recording = asyncio.Lock()
        self._stopped = False
        self._answers: dict[int, bytes] = {}
        self._recorded: set[int] = set()
        self.refused = False
        """Whether it stopped because no call of its caller could be made."""
        self.over = asyncio.Event()
        """Set by the caller of `run_to_end` after it: no call is in flight, all is recorded."""

    def cancel(self) -> None:
        """Begin no further call. The job has already been marked as cancelled."""
        self._control.halt()

    def stop(self) -> None:
        """Begin no further call, and leave records without a result to the next owner."""
        self._stopped = True
        self._control.halt()

    async def run_to_end(self) -> bool:
        """Whether the job has ended; otherwise the next owner continues."""
        ended = lost = False
        try:
            async with asyncio.TaskGroup() as group:
                besides = [
                    group.create_task(self._lease.keep()),
                    group.create_task(self._lease.expire()),
                    group.create_task(self._record_periodically()),
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
        self._recorded = await self._job.recorded()
        await self._calls.look_up()
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
        ending = Ending(
            state,
            self._lease.record.started,
            self._dependencies.clock.now(),
            made.answered - made.failed,
            made.failed,
            number,
        )
        if not await self._job.end(ending):
            await self._job.delete_output(number)
            raise LeaseLost
        await self._job.clear()

    # --- segment by segment ----------------------------------------------------------------------

    async def _answer_all(self) -> None:
        async with asyncio.TaskGroup() as segments:
            for segment in await self._job.segments():
                if self._control.halted:
                    break
                if not self._recorded.issuperset(segment.records):
                    begun = asyncio.Event()
                    segments.create_task(self._answer_segment(segment, begun))
                    await begun.wait()

    async def _answer_segment(self, segment: Segment, begun: asyncio.Event) -> None:
        """Sets `begun` as soon as the next segment may begin."""
        records = segment.records
        size = working_bytes(segment.size, len(records))
        with suppress(Halted):
            async with self._dependencies.memory.take(size, self._control.pause) as memory:
                read = partial(self._job.read_segment, segment)
                lines = (await self._control.retry_store(read)).split(b"\n")
                opened = OpenSegment(records, self._calls.first_call(records), memory)
                async with asyncio.TaskGroup() as calls:
                    for index, line in enumerate(lines, records.start):
                        if index not in self._recorded:
                            await self._slots.acquire()
                            calls.create_task(self._answer(index, line, opened))
                    begun.set()
                await self._record(records)
        begun.set()

    async def _answer(self, index: int, line: bytes, segment: OpenSegment) -> None:
        """Takes a slot, and gives it back when the answer is kept or recorded."""
        try:
            await self._control.check()
            result = await self._calls.result(index, line, segment.first_call)
            grow_if_possible(segment.memory, len(result) - ANSWER_BYTES)
            self._answers[index] = result
            waiting = sum(map(len, self._answers.values()))
            if self._control.halted or waiting > ANSWER_BYTES:
                await self._record(segment.records)
        except Halted:
            pass
        except CallFailed as refusal:
            self._stop_for(refusal.error)
        finally:
            self._slots.release()

    def _stop_for(self, error: FerryError) -> None:
        if not self.refused:
            # A provider's refusal may quote the request, so only its type is logged.
            why = error.message if error.provider is None else error.reason or error.status.name
            _log.warning("an immediate batch waits because no call can be made: %s", why)
        self.refused = True
        self.stop()

    # --- what is recorded ------------------------------------------------------------------------

    async def _record_periodically(self) -> None:
        """Also when the run is halted, because the time to end may be short."""
        everything = range(self._job.record.count)
        with suppress(Halted):
            while True:
                await self._control.wait(RECORD_SECONDS)
                await self._record(everything)
        await self._record(everything)

    async def _record(self, records: range) -> None:
        """Record the answers to these records that wait, consecutive ones as one object."""
        async with self._recording:
            for run in consecutive(index for index in self._answers if index in records):
                lines = [self._answers[index] for index in run]
                failed = sum(line.startswith(self._error_head) for line in lines)
                record = partial(self._job.record_results, run[0], lines, failed)
                await self._control.retry_store(record)
                self._recorded.update(run)
                for index in run:
                    del self._answers[index]


def consecutive(indices: Iterable[int]) -> list[list[int]]:
    """The indices in order, in runs of consecutive ones."""
    runs: list[list[int]] = []
    for index in sorted(indices):
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs
