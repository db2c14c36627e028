"""The objects of one job's run in the state store, each written once.

The names of calls and results say for which records they are: `{first}-{count}` for consecutive
records, `{index}` for one. An owner of a version that knows only the latter fails on the former
before it makes a call.
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from providers.batches.immediate.leases import LeaseLost, LeaseRecords, Progress
from providers.body import Body, in_memory, join
from providers.state import ObjectInfo, State, read, write


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the input; `size` is in bytes."""

    records: range
    size: int


class JobWork:
    """The objects of one job's run, under `prefix`, until the job is deleted."""

    def __init__(self, prefix: str, state: State) -> None:
        self._prefix = prefix
        self._state = state
        self.leases = LeaseRecords(f"{prefix}/claims", state)

    async def write_segment(self, first: int, data: bytes) -> None:
        await write(self._state, f"{self._prefix}/input/{first:010d}", data)

    async def segments(self, count: int) -> Sequence[Segment]:
        """The input of all `count` records; empty if it was deleted because the job has ended."""
        found = [(int(_last(info)), info.size) async for info in self._list("input")]
        firsts = [*(first for first, _ in found), count]
        return [
            Segment(range(first, end), size)
            for (first, end), (_, size) in zip(pairwise(firsts), found, strict=True)
        ]

    async def read_segment(self, segment: Segment) -> bytes | None:
        """None if it was deleted because the job has ended."""
        name = f"{self._prefix}/input/{segment.records.start:010d}"
        return await read(self._state, name, segment.size)

    # --- the calls -----------------------------------------------------------------------------

    async def begin(self, call: str, owner: str) -> bool:
        """Whether the owner may make a call (`first_calls`, `repeat`): the first to mark it may."""
        name, mark = self._call(call), owner.encode()
        # The mark may be the owner's already, if the answer to an earlier write was lost.
        return await write(self._state, name, mark) or await read(self._state, name) == mark

    async def has_begun(self, call: str) -> bool:
        return await self._state.head(self._call(call)) is not None

    async def forget(self, call: str) -> None:
        """Remove the mark of a call that certainly had no effect."""
        await self._state.delete(self._call(call))

    async def calls(self) -> dict[int, int]:
        """The number of calls of each record that may have begun."""
        begun: dict[int, int] = {}
        async for info in self._list("calls"):
            name, _, attempt = _last(info).rpartition("-")
            for index in _records_of(name):
                begun[index] = max(int(attempt), begun.get(index, 0))
        return begun

    # --- the results ---------------------------------------------------------------------------

    async def record(self, first: int, lines: Sequence[bytes]) -> bool:
        """Store the results of consecutive records; False if they were stored already."""
        name = f"{self._prefix}/results/{first:010d}-{len(lines)}"
        return await self._state.create(name, join(*map(in_memory, lines)))

    async def recorded(self) -> set[int]:
        found: set[int] = set()
        async for info in self._list("results"):
            found.update(_records_of(_last(info)))
        return found

    async def write_output(self, number: int, error_head: bytes) -> Progress:
        """Write all results so far into one object, and count them."""
        output = _Output(self._state, self._list("results"), error_head)
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
        await write(self._state, f"{self._prefix}/cancelled", b"")

    async def cancelled(self) -> bool:
        return await self._state.head(f"{self._prefix}/cancelled") is not None

    async def clear(self) -> None:
        """Delete the input and the single results of a job that has ended.

        The marks of calls and the leases stay: an owner that was suspended must find them.
        """
        for kind in ("input", "results"):
            await self._delete(self._list(kind))

    async def delete(self) -> None:
        await self._delete(self._state.list(f"{self._prefix}/"))

    async def _delete(self, listed: AsyncIterator[ObjectInfo]) -> None:
        async for info in listed:
            await self._state.delete(info.name)

    def _call(self, call: str) -> str:
        return f"{self._prefix}/calls/{call}"

    def _list(self, kind: str) -> AsyncIterator[ObjectInfo]:
        return self._state.list(f"{self._prefix}/{kind}/")

    def _output(self, number: int) -> str:
        return f"{self._prefix}/output/{number:010d}"


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
            records = _records_of(_last(info))
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


def _records_of(name: str) -> range:
    """The records that a name stands for: `{first}-{count}`, or `{index}` alone."""
    first, _, count = name.partition("-")
    return range(int(first), int(first) + int(count or 1))


def _last(info: ObjectInfo) -> str:
    return info.name.rpartition("/")[2]
