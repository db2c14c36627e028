"""The objects of one job's run in the state store, until the job is deleted."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from providers.batches.immediate.leases import LeaseLost, LeaseRecords, Progress
from providers.body import Body
from providers.state import ObjectInfo, State, read, write

_NOTHING: Final = b""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the input; `first` is the index of its first record, `size` is in bytes."""

    first: int
    size: int


class JobWork:
    """The objects under `prefix`, each written once."""

    def __init__(self, prefix: str, state: State) -> None:
        self._prefix = prefix
        self._state = state
        self.leases = LeaseRecords(f"{prefix}/claims", state)

    # --- the input -----------------------------------------------------------------------------

    async def write_segment(self, first: int, data: bytes) -> None:
        await write(self._state, self._input(first), data)

    async def segments(self) -> list[Segment]:
        return [
            Segment(_last_number(i), i.size) async for i in self._state.list(self._all("input"))
        ]

    async def read_segment(self, segment: Segment) -> bytes | None:
        """None if it was deleted because the job has ended."""
        return await read(self._state, self._input(segment.first), segment.size)

    # --- the calls -----------------------------------------------------------------------------

    async def begin_call(self, index: int, attempt: int, owner: str) -> bool:
        """Whether the owner may make this call of a record: the first owner to mark it may."""
        name, mark = self._call(index, attempt), owner.encode()
        # The mark may be the owner's already, if the answer to an earlier write was lost.
        return await write(self._state, name, mark) or await read(self._state, name) == mark

    async def forget_call(self, index: int, attempt: int) -> None:
        """Remove the mark of a call that certainly had no effect."""
        await self._state.delete(self._call(index, attempt))

    async def calls(self) -> dict[int, int]:
        """The number of the last call begun for each record, from 1."""
        last: dict[int, int] = {}
        async for info in self._state.list(self._all("calls")):
            index, attempt = map(int, info.name.rpartition("/")[2].split("-"))
            last[index] = max(attempt, last.get(index, 0))
        return last

    # --- the results ---------------------------------------------------------------------------

    async def record(self, index: int, line: bytes) -> bool:
        """Store the answer to a record; False if it had one."""
        return await write(self._state, f"{self._prefix}/results/{index:010d}", line)

    async def recorded(self) -> set[int]:
        return {_last_number(info) async for info in self._state.list(self._all("results"))}

    async def write_output(self, number: int, error_head: bytes) -> Progress:
        """Write all results so far into one object, and count them."""
        output = _Output(self._state, self._all("results"), error_head)
        await self._state.create(self._output(number), Body(output.chunks(), None))
        return output.progress

    async def output(self, number: int) -> Body | None:
        return await self._state.get(self._output(number))

    async def has_output(self, number: int) -> bool:
        return await self._state.head(self._output(number)) is not None

    async def delete_output(self, number: int) -> None:
        await self._state.delete(self._output(number))

    # --- the end -------------------------------------------------------------------------------

    async def cancel(self) -> None:
        await write(self._state, f"{self._prefix}/cancelled", _NOTHING)

    async def cancelled(self) -> bool:
        return await self._state.head(f"{self._prefix}/cancelled") is not None

    async def clear(self) -> None:
        """Delete the input and the single results of a job that has ended.

        The marks of calls and the leases stay: an owner that was suspended must find them.
        """
        for kind in ("input", "results"):
            await self._delete(self._all(kind))

    async def delete(self) -> None:
        await self._delete(f"{self._prefix}/")

    async def _delete(self, prefix: str) -> None:
        async for info in self._state.list(prefix):
            await self._state.delete(info.name)

    def _all(self, kind: str) -> str:
        return f"{self._prefix}/{kind}/"

    def _input(self, first: int) -> str:
        return f"{self._prefix}/input/{first:010d}"

    def _call(self, index: int, attempt: int) -> str:
        return f"{self._prefix}/calls/{index:010d}-{attempt}"

    def _output(self, number: int) -> str:
        return f"{self._prefix}/output/{number:010d}"


class _Output:
    """The recorded results in sequence, counted while they are read."""

    def __init__(self, state: State, results: str, error_head: bytes) -> None:
        self._state = state
        self._results = results
        self._error_head = error_head
        self._answered = 0
        self._failed = 0

    @property
    def progress(self) -> Progress:
        return Progress(self._answered, self._failed)

    async def chunks(self) -> AsyncIterator[bytes]:
        async for info in self._state.list(self._results):
            body = await self._state.get(info.name)
            if body is None:
                raise LeaseLost  # another owner ended the job and cleared it
            head = b""
            async for chunk in body.chunks:
                head += chunk[: len(self._error_head) - len(head)]
                yield chunk
            self._answered += 1
            self._failed += head == self._error_head


def _last_number(info: ObjectInfo) -> int:
    return int(info.name.rpartition("/")[2])
