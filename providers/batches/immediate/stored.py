"""The objects of jobs in the state store, each written once.

A job exists while its record exists: the record is written after all other objects and deleted
before them. Records live for the state's time to live and everything else lives longer
(proxy/sweep.py), so no job is seen with only some of its objects.

The names of calls and results say for which records they are: `{first}-{count}` for consecutive
records, `{index}` for one. Then comes the number of the call, or of the errors among the results.
An owner of a version that knows only `{index}` fails on the other names before it makes a call.
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import orjson
from pydantic import TypeAdapter

from providers.batches.immediate.job import Ending, JobKey, JobRecord, Progress, is_immediate
from providers.batches.immediate.leases import LeaseLost, LeaseRecords
from providers.batches.request_table import RequestTable, RequestTables
from providers.body import Body, in_memory, join
from providers.memory import Reservation
from providers.state import ObjectInfo, State, read, write
from providers.stored_objects import IMMEDIATE, IMMEDIATE_ENDED, IMMEDIATE_OPEN, IMMEDIATE_WORK

_RECORD: Final = TypeAdapter(JobRecord)
_ENDING: Final = TypeAdapter(Ending)


class JobStore:
    """All immediate jobs of one upstream."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state

    def job(self, key: JobKey, record: JobRecord) -> "StoredJob":
        return StoredJob(self._upstream, self._state, key, record)

    async def find(self, key: JobKey) -> "StoredJob | None":
        data = await read(self._state, IMMEDIATE.name(self._upstream, str(key)))
        return None if data is None else self.job(key, _RECORD.validate_json(data))

    async def of_tenant(self, tenant: str) -> AsyncIterator[ObjectInfo]:
        """The records of a tenant's jobs in the order of ids, which are the names' last parts."""
        async for info in self._state.list(IMMEDIATE.name(self._upstream, tenant, "")):
            yield info

    async def unfinished_of_proxy(self) -> AsyncIterator[JobKey]:
        """The jobs of all tenants that the proxy's credential pays for and that are not closed."""
        async for info in self._state.list(IMMEDIATE_OPEN.name(self._upstream, "")):
            _, _, tenant, job_id, _ = info.name.split("/")
            if is_immediate(job_id):
                yield JobKey(tenant, job_id)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the input; `size` is in bytes."""

    records: range
    size: int


class StoredJob:
    """The objects of one job."""

    def __init__(self, upstream: str, state: State, key: JobKey, record: JobRecord) -> None:
        self.key = key
        self.record = record
        self._state = state
        self._tables = RequestTables(upstream, state)
        self._table = f"{key}/{record.creation}"
        self._name = IMMEDIATE.name(upstream, str(key))
        self._open = IMMEDIATE_OPEN.name(upstream, self._table)
        self._ending = IMMEDIATE_ENDED.name(upstream, self._table)
        self._work = IMMEDIATE_WORK.name(upstream, self._table)
        self.leases = LeaseRecords(f"{self._work}/claims", state)

    async def create(self) -> bool:
        """False if a job of this key exists already."""
        if self.record.ambient:
            # Before the record, so the periodic look finds every job.
            await write(self._state, self._open, b"")
        return await write(self._state, self._name, orjson.dumps(self.record))

    async def close(self) -> None:
        """End the periodic look for the job: it has ended, or was not created."""
        if self.record.ambient:
            await self._state.delete(self._open)

    async def end(self, ending: Ending) -> bool:
        """False if the job had ended already; the first ending counts."""
        return await write(self._state, self._ending, orjson.dumps(ending))

    async def ending(self) -> Ending | None:
        data = await read(self._state, self._ending)
        return None if data is None else _ENDING.validate_json(data)

    async def delete(self) -> None:
        """In an order in which the job cannot reappear or run again."""
        await self._state.delete(self._name)
        await self.delete_parts()
        await self._state.delete(self._ending)

    async def delete_parts(self) -> None:
        """Delete the objects of a job without a record."""
        await self.close()
        await self._delete("")
        await self._tables.delete(self._table)

    # --- the input -----------------------------------------------------------------------------

    async def write_table(self, table: RequestTable) -> None:
        await self._tables.write(self._table, table)

    async def table(self, reservation: Reservation) -> RequestTable | None:
        return await self._tables.read(self._table, reservation)

    async def write_segment(self, first: int, data: bytes) -> None:
        await write(self._state, f"{self._work}/input/{first:010d}", data)

    async def segments(self) -> Sequence[Segment]:
        """Empty if they were deleted because the job has ended."""
        found = [(int(_last(info)), info.size) async for info in self._list("input/")]
        firsts = [*(first for first, _ in found), self.record.count]
        return [
            Segment(range(first, end), size)
            for (first, end), (_, size) in zip(pairwise(firsts), found, strict=True)
        ]

    async def read_segment(self, segment: Segment) -> bytes:
        name = f"{self._work}/input/{segment.records.start:010d}"
        text = await read(self._state, name, segment.size)
        if text is None:
            raise LeaseLost  # another owner ended the job and cleared it
        return text

    # --- the calls -----------------------------------------------------------------------------

    async def begin(self, call: str, owner: str) -> bool:
        """Whether the owner may make a call (`first_calls`, `repeat`): the first to mark it may."""
        name, mark = f"{self._work}/calls/{call}", owner.encode()
        # The mark may be the owner's already, if the answer to an earlier write was lost.
        return await write(self._state, name, mark) or await read(self._state, name) == mark

    async def has_begun(self, call: str) -> bool:
        return await self._state.head(f"{self._work}/calls/{call}") is not None

    async def forget(self, call: str) -> None:
        """Remove the mark of a call that certainly had no effect."""
        await self._state.delete(f"{self._work}/calls/{call}")

    async def calls(self) -> dict[int, int]:
        """The number of calls of each record that may have begun."""
        begun: dict[int, int] = {}
        async for info in self._list("calls/"):
            first, *count, attempt = map(int, _last(info).split("-"))
            for index in range(first, first + (count or [1])[0]):
                begun[index] = max(attempt, begun.get(index, 0))
        return begun

    # --- the results ---------------------------------------------------------------------------

    async def record_results(self, first: int, lines: Sequence[bytes], failed: int) -> bool:
        """Store the results of consecutive records; False if they were stored already."""
        name = f"{self._work}/results/{first:010d}-{len(lines)}-{failed}"
        return await self._state.create(name, join(*map(in_memory, lines)))

    async def recorded(self) -> set[int]:
        """The records that have a result."""
        results = [_results_of(info) async for info in self._list("results/")]
        return {index for records, _ in results for index in records}

    async def progress(self) -> Progress:
        results = [_results_of(info) async for info in self._list("results/")]
        answered = {index for records, _ in results for index in records}
        return Progress(len(answered), sum(failed for _, failed in results))

    async def write_output(self, number: int, error_head: bytes) -> Progress:
        """Write all results so far into one object, and count them."""
        output = _Output(self._state, self._list("results/"), error_head)
        await self._state.create(self._output(number), Body(output.chunks(), None))
        return Progress(output.answered, output.failed)

    async def output(self, number: int) -> Body | None:
        return await self._state.get(self._output(number))

    async def has_output(self, number: int) -> bool:
        return await self._state.head(self._output(number)) is not None

    async def delete_output(self, number: int) -> None:
        await self._state.delete(self._output(number))

    # --- the end -------------------------------------------------------------------------------

    async def cancel(self) -> None:
        await write(self._state, f"{self._work}/cancelled", b"")

    async def cancelled(self) -> bool:
        return await self._state.head(f"{self._work}/cancelled") is not None

    async def clear(self) -> None:
        """Delete the input and the single results of a job that has ended.

        The marks of calls and the leases stay: an owner that was suspended must find them.
        """
        for kind in ("input/", "results/"):
            await self._delete(kind)

    async def _delete(self, kind: str) -> None:
        async for info in self._list(kind):
            await self._state.delete(info.name)

    def _list(self, kind: str) -> AsyncIterator[ObjectInfo]:
        return self._state.list(f"{self._work}/{kind}")

    def _output(self, number: int) -> str:
        return f"{self._work}/output/{number:010d}"


class _Output:
    """The recorded results in sequence, counted while they are read."""

    def __init__(self, state: State, results: AsyncIterator[ObjectInfo], error_head: bytes) -> None:
        self._state = state
        self._results = results
        self._error = b"\n" + error_head
        self.answered = 0
        self.failed = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        end = 0
        async for info in self._results:
            body = await self._state.get(info.name)
            if body is None:
                raise LeaseLost  # another owner ended the job and cleared it
            records, _ = _results_of(info)
            # Runs overlap if an owner was suspended and did not notice the end of its lease.
            known = max(0, end - records.start)
            before = b"\n"
            async for chunk in _without_lines(body.chunks, known):
                seen = before + chunk
                self.failed += seen.count(self._error)
                before = seen[1 - len(self._error) :]
                yield chunk
            self.answered += max(0, len(records) - known)
            end = max(end, records.stop)


async def _without_lines(chunks: AsyncIterable[bytes], count: int) -> AsyncIterator[bytes]:
    """A stream without its first `count` lines."""
    async for chunk in chunks:
        rest = chunk
        while count and rest:
            _, ended, rest = rest.partition(b"\n")
            count -= len(ended)
        if rest:
            yield rest


def first_calls(records: range) -> str:
    """The first call of each record of a segment."""
    return f"{records.start:010d}-{len(records)}-1"


def repeat(index: int) -> str:
    """The second call of a record."""
    return f"{index:010d}-2"


def _results_of(info: ObjectInfo) -> tuple[range, int]:
    """The records of an object with results, and the number of errors that its name says."""
    first, *said = map(int, _last(info).split("-"))
    count, failed = said or (1, 0)
    return range(first, first + count), failed


def _last(info: ObjectInfo) -> str:
    return info.name.rpartition("/")[2]
