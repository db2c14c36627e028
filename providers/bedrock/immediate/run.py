"""One owner's work on one job, from its claim to the job's end, or until it has to stop."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack, aclosing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final, TypeVar

import orjson

from providers.bedrock.immediate.claims import Lease, LostClaim, Progress
from providers.bedrock.immediate.clock import Clock
from providers.bedrock.immediate.input_segments import (
    ANSWER_BYTES,
    record_bytes,
    records_of,
    segment_bytes,
)
from providers.bedrock.immediate.job_store import Ending, ImmediateJob
from providers.bedrock.immediate.job_work import JobWork, Segment
from providers.bedrock.immediate.record_call import (
    CredentialRefused,
    RecordCall,
    TriedCall,
    outcome_unknown,
    retrying,
)
from providers.bedrock.immediate.result_line import is_error
from providers.credential import Caller
from providers.errors import FerryError
from providers.memory import MemoryBudget, Reservation
from providers.resources import BatchState

CALLS_AT_ONCE: Final = 8
# One that was in flight when an owner died is repeated once.
CALLS_OF_A_RECORD: Final = 2
_ROOM_SECONDS: Final = 1.0

T = TypeVar("T")

_log: Final = logging.getLogger("genai_ferry.bedrock")


class Halted(Exception):
    """No further call of this job is to be begun."""


@dataclass(frozen=True, slots=True)
class Means:
    """What all runs of one process share; `slots` bounds their calls together."""

    call: RecordCall
    memory: MemoryBudget
    clock: Clock
    slots: asyncio.Semaphore


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
        self._caller = caller
        self._means = means
        self._end = end
        self._slots = asyncio.Semaphore(CALLS_AT_ONCE)
        self._halted = asyncio.Event()
        self._credential_refused = False
        self._recorded: set[int] = set()
        self._calls: dict[int, int] = {}
        self._failed = lease.progress.failed

    @property
    def progress(self) -> Progress:
        # The claim says more until the results have been listed.
        answered = max(len(self._recorded), self._lease.progress.answered)
        return Progress(answered, self._failed)

    def cancel(self) -> None:
        """Begin no further call. The job has been marked as cancelled before."""
        self._halted.set()

    async def carry_out(self) -> None:
        """Whatever ends it before the job has ended leaves the job to the next owner."""
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

    async def _to_its_end(self) -> bool:
        """Whether the job has ended: a refused credential leaves it to a better one."""
        self._recorded = await self._work.recorded()
        self._calls = await self._work.calls()
        await self._answer_all()
        cancelled = await self._work.cancelled()
        if self._credential_refused and not cancelled:
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
        async with asyncio.TaskGroup() as calls:
            with suppress(Halted):
                async with aclosing(self._unanswered()) as records:
                    async for index, line in records:
                        await self._begin(calls, index, line)

    async def _unanswered(self) -> AsyncGenerator[tuple[int, bytes], None]:
        segments = await self._work.segments()
        firsts = [*(segment.first for segment in segments), self._job.count]
        for segment, (first, end) in zip(segments, pairwise(firsts), strict=True):
            if self._recorded.issuperset(range(first, end)):
                continue
            with ExitStack() as held:
                await self._take_room(segment_bytes(segment.size), held)
                for index, line in records_of(first, await self._read(segment)):
                    if index not in self._recorded:
                        yield index, line

    async def _read(self, segment: Segment) -> bytes:
        text = await self._patiently(partial(self._work.read_segment, segment))
        if text is None:
            raise LostClaim  # whoever ended the job has cleared it
        return text

    async def _begin(self, calls: asyncio.TaskGroup, index: int, line: bytes) -> None:
        """Wait for what a call takes, and begin it. Raises Halted."""
        with ExitStack() as held:
            for slots in (self._slots, self._means.slots):
                await slots.acquire()
                held.callback(slots.release)
            reservation = await self._take_room(record_bytes(len(line)), held)
            await self._check()
            task = calls.create_task(self._carry_out(index, line, reservation))
            # Not within the task: one that is cancelled before it begins runs nothing.
            given_back = held.pop_all()
            task.add_done_callback(lambda _: given_back.close())

    async def _carry_out(self, index: int, line: bytes, reservation: Reservation) -> None:
        record = orjson.loads(line)
        attempt = self._calls.get(index, 0) + 1
        if attempt > CALLS_OF_A_RECORD:
            result: bytes | None = outcome_unknown(record["recordId"])
        else:
            model_input = orjson.dumps(record["modelInput"])
            result = await self._call(index, attempt, record["recordId"], model_input)
        if result is not None:
            await self._record(index, result, reservation)

    async def _call(
        self, index: int, attempt: int, record_id: str, model_input: bytes
    ) -> bytes | None:
        """The record's result; None where it has none because the job is halted."""
        begin = partial(self._work.begin_call, index, attempt, self._lease.owner)
        if not await self._patiently(begin):
            raise LostClaim  # another owner makes this call
        send = partial(
            self._means.call, self._caller, self._job.model, self._job.invocation, model_input
        )
        call = TriedCall(send, self._pause)
        try:
            return await call.line(record_id)
        except CredentialRefused:
            self._credential_refused = True
            self._halted.set()
        except Halted:
            pass
        finally:
            if call.undone:
                await self._forget(index, attempt)
        return None

    async def _forget(self, index: int, attempt: int) -> None:
        try:
            await self._work.forget_call(index, attempt)
        except (FerryError, OSError) as error:
            # The record has a call less then.
            _log.warning("a call could not be taken back: %s", type(error).__name__)

    async def _record(self, index: int, result: bytes, reservation: Reservation) -> None:
        with suppress(FerryError):
            # A larger answer than was expected is counted if it can be, and kept in any case.
            reservation.grow(max(0, len(result) - ANSWER_BYTES))
        await self._patiently(partial(self._work.record, index, result))
        self._recorded.add(index)
        self._failed += is_error(result)

    # --- going on, or not ------------------------------------------------------------------------

    async def _check(self) -> None:
        """Raises Halted, or LostClaim."""
        self._lease.check()
        if not self._halted.is_set() and await self._patiently(self._work.cancelled):
            self.cancel()  # by another replica
        if self._halted.is_set():
            raise Halted

    async def _pause(self, seconds: float) -> None:
        """Raises Halted as soon as the job is."""
        halted = asyncio.create_task(self._halted.wait())
        waited = asyncio.ensure_future(self._means.clock.wait(seconds))
        try:
            await asyncio.wait({halted, waited}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            halted.cancel()
            waited.cancel()
        await self._check()

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the store, again where that may help: its failure ends the calls in flight."""
        answer: T = await retrying(self._means.clock.wait, _store_recovers)(ask)
        return answer

    async def _take_room(self, size: int, held: ExitStack) -> Reservation:
        """Wait until the budget has `size` bytes; `held` gives them back."""
        reservation = Reservation(self._means.memory)
        while True:
            try:
                reservation.grow(size)
            except FerryError:
                await self._pause(_ROOM_SECONDS)
            else:
                held.callback(reservation.release)
                return reservation


def _store_recovers(error: BaseException) -> bool:
    return isinstance(error, OSError) or (isinstance(error, FerryError) and not error.permanent)
