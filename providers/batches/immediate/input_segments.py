"""A job's input in segments of a few lines: a job may run longer than a stream can stay open."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Final

from providers.batches.immediate.run_dependencies import CALLS_OF_A_JOB
from providers.batches.json_lines import LineSplitter
from providers.body import Body
from providers.errors import invalid_argument
from providers.memory import MemoryBudget

# A segment ends with the first line that reaches this size.
SEGMENT_BYTES: Final = 64 << 10
# Reserved for the answer to one record.
ANSWER_BYTES: Final = 1 << 20


def working_bytes(size: int, records: int) -> int:
    """The memory for a segment of `size` bytes while its `records` are called.

    It covers the segment, its lines, each line parsed and as sent, and the concurrent answers.
    """
    return 4 * size + min(records, CALLS_OF_A_JOB) * ANSWER_BYTES


async def segments(
    body: Body, splitter: LineSplitter, memory: MemoryBudget
) -> AsyncGenerator[tuple[int, bytes], None]:
    """(index of the first record, lines) of each segment, counted on `memory` until the next.

    Raises INVALID_ARGUMENT for a segment that could never fit in memory while it runs.
    """
    held: list[bytes] = []
    first, size = 0, 0
    with memory.reserve() as reservation:
        async for line in _lines(body, splitter):
            held.append(line)
            size += len(line)
            reservation.grow(len(line))
            if size >= SEGMENT_BYTES:
                _check(size, len(held), memory)
                reservation.grow(size)
                yield first, b"\n".join(held)
                first += len(held)
                held, size = [], 0
                reservation.release()
        if held:
            yield first, b"\n".join(held)


def _check(size: int, records: int, memory: MemoryBudget) -> None:
    if working_bytes(size, records) > memory.size:
        raise invalid_argument(
            f"a request of about {size} bytes is too large for the memory of the proxy, which runs "
            "this batch itself"
        )


def records_of(first: int, segment: bytes) -> Sequence[tuple[int, bytes]]:
    """(index, line) of each record of a segment."""
    return list(enumerate(segment.split(b"\n"), start=first))


async def _lines(body: Body, splitter: LineSplitter) -> AsyncIterator[bytes]:
    async with aclosing(splitter.split(body.chunks)) as slices:
        async for numbered in slices:
            for _, line in numbered:
                yield line
