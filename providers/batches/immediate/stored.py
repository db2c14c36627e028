"""A job as objects in the state store, each written once.

A job exists while its record exists: the record is written after all other objects and deleted
before them. Records live for the state's time to live and everything else lives longer
(proxy/sweep.py), so no job is seen with only some of its objects.

The names of marks and results say for which records they are: `{first}-{count}` for consecutive
records, `{index}` for one. Then comes the number of the attempt, or of the errors among the
results. An owner of a version that knows only `{index}` fails on the other names before it makes a
call.
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence

import orjson

from providers.batches.immediate.clock import Clock
from providers.batches.immediate.heartbeats import Heartbeats
from providers.batches.immediate.job import (
    JobKey,
    JobRecord,
    JobState,
    Segment,
    no_job,
)
from providers.batches.immediate.leases import Lease, LeaseLost, Progress
from providers.batches.request_table import RequestTable, RequestTables
from providers.body import Body, in_memory, join
from providers.memory import Reservation
from providers.state import ObjectInfo, State, read, read_as, write
from providers.stored_objects import IMMEDIATE, IMMEDIATE_ENDED, IMMEDIATE_OPEN, IMMEDIATE_WORK


async def find_job(upstream: str, state: State, key: JobKey) -> "StoredJob | None":
    record = await read_as(state, IMMEDIATE.name(upstream, str(key)), JobRecord)
    return None if record is None else StoredJob(upstream, state, key, record)


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

    def lease(self, heartbeats: Heartbeats, clock: Clock) -> Lease:
        return Lease(f"{self._work}/claims", self._table, self._state, heartbeats, clock)

    async def create(self) -> bool:
        """False if a job of this key exists already."""
        if self.record.ambient:
            # Before the record, so the periodic look finds every job.
            await write(self._state, self._open, b"")
        return await write(self._state, self._name, orjson.dumps(self.record))

    async def close(self) -> None:
        """End the looks for the job: it has ended, or was not created."""
        async for info in self._state.list(self._open):  # the marker, if any, and heartbeats
            await self._state.delete(info.name)

    async def end(self, ending: JobState) -> bool:
        """False if the job had ended already; the first ending counts."""
        return await write(self._state, self._ending, orjson.dumps(ending))

    async def ending(self) -> JobState | None:
        return await read_as(self._state, self._ending, JobState)

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

    async def write_table(self, table: RequestTable) -> None:
        await self._tables.write(self._table, table)

    async def table(self, reservation: Reservation) -> RequestTable:
        table = await self._tables.read(self._table, reservation)
        if table is None:
            raise no_job(self.key.job_id)  # the sweep is deleting the job
        return table

    async def write_segment(self, first: int, data: bytes) -> None:
        await write(self._state, f"{self._work}/input/{first:010d}", data)

    async def segments(self) -> Sequence[Segment]:
        """Empty if they were deleted because the job has ended."""
        found = [(int(_last(info)), info.size) async for info in self._list("input/")]
        ends = [*(first for first, _ in found[1:]), self.record.count]
        return [
            Segment(range(first, end), size)
            for (first, size), end in zip(found, ends, strict=False)
        ]

    async def read_segment(self, segment: Segment) -> bytes:
        name = f"{self._work}/input/{segment.records.start:010d}"
        text = await read(self._state, name, segment.size)
        if text is None:
            raise LeaseLost  # another owner ended the job and cleared it
        return text

    async def begin(self, records: range, number: int, owner: str) -> bool:
        """Whether the owner may make an attempt: the first to mark it may."""
        name, mark = self._attempt(records, number), owner.encode()
        # The mark may be the owner's already, if the answer to an earlier write was lost.
        return await write(self._state, name, mark) or await read(self._state, name) == mark

    async def forget(self, records: range, number: int) -> None:
        """Remove the mark of an attempt without calls that may have had an effect."""
        await self._state.delete(self._attempt(records, number))

    async def begun(self) -> dict[int, int]:
        """The number of attempts at each record."""
        begun: dict[int, int] = {}
        async for info in self._list("calls/"):
            first, *count, number = map(int, _last(info).split("-"))
            for index in range(first, first + (count or [1])[0]):
                begun[index] = max(number, begun.get(index, 0))
        return begun

    async def record_results(self, first: int, lines: Sequence[bytes], failed: int) -> bool:
        """Store the results of consecutive records; False if they were stored already."""
        name = f"{self._work}/results/{first:010d}-{len(lines)}-{failed}"
        return await self._state.create(name, join(*map(in_memory, lines)))

    async def recorded(self) -> set[int]:
        """The records that have a result."""
        return {index async for info in self._list("results/") for index in _results_of(info)[0]}

    async def progress(self) -> Progress:
        results = [_results_of(info) async for info in self._list("results/")]
        answered = {index for records, _ in results for index in records}
        return Progress(len(answered), sum(failed for _, failed in results))

    async def write_output(self, number: int, error_head: bytes) -> Progress:
        """Write all results so far into one object, in order, and count them."""
        answered = failed = 0

        async def chunks() -> AsyncIterator[bytes]:
            nonlocal answered, failed
            end, error = 0, b"\n" + error_head
            async for info in self._list("results/"):
                body = await self._state.get(info.name)
                if body is None:
                    raise LeaseLost  # another owner ended the job and cleared it
                records, _ = _results_of(info)
                # Runs overlap if an owner was suspended and did not notice the end of its lease.
                known = max(0, end - records.start)
                before = b"\n"
                async for chunk in _without_lines(body.chunks, known):
                    seen = before + chunk
                    failed += seen.count(error)
                    before = seen[1 - len(error) :]
                    yield chunk
                answered += max(0, len(records) - known)
                end = max(end, records.stop)

        await self._state.create(self._output(number), Body(chunks(), None))
        return Progress(answered, failed)

    async def output(self, number: int) -> Body | None:
        return await self._state.get(self._output(number))

    async def has_output(self, number: int) -> bool:
        return await self._state.head(self._output(number)) is not None

    async def delete_output(self, number: int) -> None:
        await self._state.delete(self._output(number))

    async def cancel(self) -> None:
        await write(self._state, f"{self._work}/cancelled", b"")

    async def cancelled(self) -> bool:
        return await self._state.head(f"{self._work}/cancelled") is not None

    async def clear(self) -> None:
        """Delete the input and the single results of a job that has ended.

        The marks and the leases stay: an owner that was suspended must find them.
        """
        for kind in ("input/", "results/"):
            await self._delete(kind)

    async def _delete(self, kind: str) -> None:
        async for info in self._list(kind):
            await self._state.delete(info.name)

    def _list(self, kind: str) -> AsyncIterator[ObjectInfo]:
        return self._state.list(f"{self._work}/{kind}")

    def _attempt(self, records: range, number: int) -> str:
        return f"{self._work}/calls/{records.start:010d}-{len(records)}-{number}"

    def _output(self, number: int) -> str:
        return f"{self._work}/output/{number:010d}"


async def _without_lines(chunks: AsyncIterable[bytes], count: int) -> AsyncIterator[bytes]:
    """A stream without its first `count` lines."""
    async for chunk in chunks:
        rest = chunk
        while count and rest:
            _, ended, rest = rest.partition(b"\n")
            count -= len(ended)
        if rest:
            yield rest


def _results_of(info: ObjectInfo) -> tuple[range, int]:
    """The records of an object with results, and the number of errors that its name says."""
    first, *said = map(int, _last(info).split("-"))
    count, failed = said or (1, 0)
    return range(first, first + count), failed


def _last(info: ObjectInfo) -> str:
    return info.name.rpartition("/")[2]
