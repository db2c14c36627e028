"""The creation of an immediate job: its input in segments, its table, and last its record.

A segment is a few lines of the input, because a job may run longer than a stream can stay open.
"""

import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from providers.batches.immediate.job import JobKey, JobRecord
from providers.batches.immediate.leases import Clock
from providers.batches.immediate.memory import working_bytes
from providers.batches.immediate.stored import JobStore, StoredJob
from providers.batches.json_lines import LineSplitter
from providers.batches.request_table import RequestTable
from providers.body import Body
from providers.errors import invalid_argument
from providers.memory import MemoryBudget
from providers.resources import BatchKind

# A segment ends with the first line that reaches this size, or this number.
SEGMENT_BYTES: Final = 64 << 10
SEGMENT_RECORDS: Final = 16


@dataclass(frozen=True, slots=True)
class NewImmediateJob:
    """`input` is lines of the provider's own batch input, one for each row of `table`, in order.

    `invocation` is the name of their format.
    """

    model: str
    kind: BatchKind
    invocation: str
    table: RequestTable = field(repr=False)
    input: Body = field(repr=False)
    display_name: str | None = None
    warnings: str = ""


class JobCreation:
    """`line_limit` is for one input line, in bytes. `ambient` is that of the jobs it creates."""

    def __init__(
        self, store: JobStore, memory: MemoryBudget, clock: Clock, line_limit: int, ambient: bool
    ) -> None:
        self._store = store
        self._memory = memory
        self._clock = clock
        self._line_limit = line_limit
        self._ambient = ambient

    async def create(self, key: JobKey, new: NewImmediateJob) -> None:
        """Does nothing if the job `key` exists; then the input is not read to its end."""
        if await self._store.find(key) is not None:
            return
        record = JobRecord(
            model=new.model,
            display_name=new.display_name,
            kind=new.kind,
            invocation=new.invocation,
            rows=new.table.kind,
            count=len(new.table),
            created=self._clock.now(),
            creation=secrets.token_hex(8),
            ambient=self._ambient,
            warnings=new.warnings,
        )
        job = self._store.job(key, record)
        try:
            await job.write_table(new.table)
            await self._write_input(job, new)
        except BaseException:
            await job.delete_parts()
            raise
        # If this fails, nothing is deleted: the record may have been stored.
        if not await job.create():
            await job.delete_parts()

    async def _write_input(self, job: StoredJob, new: NewImmediateJob) -> None:
        splitter = LineSplitter(self._line_limit, self._memory)
        lines = 0
        async with aclosing(segments(new.input, splitter, self._memory)) as pieces:
            async for segment in pieces:
                await job.write_segment(lines, b"\n".join(segment))
                lines += len(segment)
        if lines != len(new.table):
            raise ValueError(f"an input of {lines} records for a table of {len(new.table)}")


async def segments(
    body: Body, splitter: LineSplitter, memory: MemoryBudget
) -> AsyncGenerator[list[bytes], None]:
    """The lines of each segment, counted on `memory` until the next.

    Raises INVALID_ARGUMENT for a segment that could never fit in memory while it runs.
    """
    held: list[bytes] = []
    size = 0
    with memory.reserve() as reservation:
        async with aclosing(splitter.split(body.chunks)) as slices:
            async for numbered in slices:
                for _, line in numbered:
                    held.append(line)
                    size += len(line)
                    reservation.grow(len(line))
                    if size >= SEGMENT_BYTES or len(held) == SEGMENT_RECORDS:
                        _check(size, len(held), memory)
                        reservation.grow(size)
                        yield held
                        held, size = [], 0
                        reservation.release()
        if held:
            yield held


def _check(size: int, records: int, memory: MemoryBudget) -> None:
    if working_bytes(size, records) > memory.size:
        raise invalid_argument(
            f"a request of about {size} bytes is too large for the memory of the proxy, which runs "
            "this batch itself"
        )
