"""The creation of an immediate job: its input in segments, its table, and last its record.

A segment is a few lines of the input, because a job may run longer than a stream can stay open.
"""

import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Final

from providers.batches.immediate.job import JobRecord, JobRequest
from providers.batches.immediate.memory import working_bytes
from providers.batches.immediate.stored import StoredJob
from providers.batches.json_lines import LineSplitter
from providers.batches.request_table import RequestTable
from providers.body import Body
from providers.deadlines import time_to_undo
from providers.errors import invalid_argument
from providers.memory import MemoryBudget

# A segment ends with the first line that reaches this size, or this number.
SEGMENT_BYTES: Final = 64 << 10
SEGMENT_RECORDS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImmediateJob(JobRequest):
    """`input` is lines of the provider's own batch input, one for each row of `table`, in order."""

    table: RequestTable = field(repr=False)
    input: Body = field(repr=False)

    def record(self, created: datetime, ambient: bool) -> JobRecord:
        return JobRecord(
            **{each.name: getattr(self, each.name) for each in fields(JobRequest)},
            rows=self.table.kind,
            count=len(self.table),
            created=created,
            creation=secrets.token_hex(8),
            ambient=ambient,
        )


async def create_job(
    job: StoredJob, new: NewImmediateJob, splitter: LineSplitter, memory: MemoryBudget
) -> None:
    """Store the objects of a job. Leaves nothing if it fails, or if its key has a job already."""
    try:
        await job.write_table(new.table)
        lines = 0
        async with aclosing(segments(new.input, splitter, memory)) as pieces:
            async for segment in pieces:
                await job.write_segment(lines, b"\n".join(segment))
                lines += len(segment)
        if lines != len(new.table):
            raise ValueError(f"an input of {lines} records for a table of {len(new.table)}")
    except BaseException:
        with time_to_undo():
            await job.delete_parts()
        raise
    # If this fails, nothing is deleted: the record may have been stored.
    if not await job.create():
        await job.delete_parts()


async def segments(
    body: Body, splitter: LineSplitter, memory: MemoryBudget
) -> AsyncGenerator[list[bytes], None]:
    """The lines of each segment, counted on `memory` until the next.

    Raises INVALID_ARGUMENT for a segment that could never fit in memory while it runs.
    """
    held: list[bytes] = []
    with memory.reserve() as reservation:
        async with aclosing(splitter.split(body.chunks)) as slices:
            async for numbered in slices:
                for _, line in numbered:
                    held.append(line)
                    reservation.grow(len(line))
                    size = sum(map(len, held))
                    if size < SEGMENT_BYTES and len(held) < SEGMENT_RECORDS:
                        continue
                    if working_bytes(size, len(held)) > memory.size:
                        raise invalid_argument(
                            f"a request of about {size} bytes is too large for the memory of the "
                            "proxy, which runs this batch itself"
                        )
                    reservation.grow(size)
                    yield held
                    held = []
                    reservation.release()
        if held:
            yield held
