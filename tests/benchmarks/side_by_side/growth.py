"""`python -m tests.benchmarks.side_by_side.growth [--long] [--only WORD]`: how cost grows.

CPU time for each unit of work, and memory over idle, for files of more and more bytes, batches of
more and more lines and more and more connections. Cost that grows in a straight line is the same
for each unit. `--long` goes up to the largest that a provider takes. Without `--only` it writes
`tests/benchmarks/report/growth.md` and `.svg`.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.measurement import memory
from tests.benchmarks.scale import MIB
from tests.benchmarks.side_by_side import load
from tests.benchmarks.side_by_side.bulk_rows import GIB, storing, towards
from tests.benchmarks.side_by_side.figures import Spread
from tests.benchmarks.side_by_side.growth_report import (
    CONNECTIONS,
    LINES,
    SIZE,
    Axis,
    Point,
    line,
    markdown,
    picture,
)
from tests.benchmarks.side_by_side.line_rows import CREATION, RESULTS, translation
from tests.benchmarks.side_by_side.machine import measured_on
from tests.benchmarks.side_by_side.sides import Side, ferry, on_cores, upstream, usable_cores
from tests.benchmarks.side_by_side.table import REPORT
from tests.benchmarks.side_by_side.turns import Work, read, spread
from tests.processes import fake, upstream_settings

READINGS: Final = 3
TEXT: Final = 500
"""Characters of each request's text: short, so that what each line costs by itself shows."""

Measured = tuple[Spread, float]
"""CPU time for each unit, and MiB over idle."""


@dataclass(frozen=True)
class Series:
    """`measure` is given the core and an amount. `more` are further amounts for a long run."""

    axis: Axis
    name: str
    amounts: Sequence[int]
    more: Sequence[int]
    measure: Callable[[int, int], Awaitable[Measured]]


async def _sized(kind: str, work: Callable[[int], Work], core: int, mib: int) -> Measured:
    return await _moved(kind, work(mib * MIB), core, mib * MIB)


def _in_one(size: int) -> Work:
    return partial(load.upload, size=size, chunk=size)


def _in_chunks(size: int) -> Work:
    return partial(load.upload, size=size, chunk=load.CHUNK)


def _downloaded(size: int) -> Work:
    return partial(load.download, size=size)


async def _connected(core: int, count: int) -> Measured:
    size = count * load.CHUNK
    work = partial(load.uploads, connections=count, size=size, chunk=load.CHUNK)
    return await _moved("gemini", work, core, size)


async def _moved(kind: str, work: Work, core: int, size: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            upstream() as origin,
            ferry(Path(folder), core, storing(origin)) as gemini,
        ):
            side, idle = towards(gemini, kind), memory(gemini.pid, "VmRSS")
            await asyncio.to_thread(load.upload, side, load.CHUNK, load.CHUNK)  # fills caches
            return await _readings(side, work, size / GIB, idle)


async def _translated(kind: str, operation: str, core: int, count: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            fake(kind) as origin,
            ferry(Path(folder), core, {kind: upstream_settings(origin)}) as side,
        ):
            idle = memory(side.pid, "VmRSS")
            made = await asyncio.to_thread(translation, side, kind, operation, count, TEXT)
            return await _readings(side, lambda _: made.run(), count / 1e6, idle)


async def _readings(side: Side, work: Work, units: float, idle: int) -> Measured:
    costs = [await asyncio.to_thread(read, side, work) for _ in range(READINGS)]
    return spread([cost.cpu / units for cost in costs]), (side.peak() - idle) / MIB


# Up to what the provider takes: 2 GiB at Gemini, 8 GiB in OpenAI's Uploads API.
_MIB: Final = (8, 64, 256, 1024)
_LINES: Final = (1_000, 8_000, 48_000)
# A batch may have 50,000 lines at OpenAI and at Bedrock, 100,000 at Anthropic and at Mistral.
_MORE_LINES: Final = {
    "openai": (),
    "anthropic": (100_000,),
    "mistral": (100_000,),
    "bedrock": (),
}
SERIES: Final = (
    Series(SIZE, "gemini, in one request", _MIB, (2048,), partial(_sized, "gemini", _in_one)),
    Series(SIZE, "gemini, in chunks", _MIB, (2048,), partial(_sized, "gemini", _in_chunks)),
    Series(SIZE, "openai, in chunks", _MIB, (8192,), partial(_sized, "openai", _in_chunks)),
    Series(SIZE, "bedrock, in chunks", _MIB, (8192,), partial(_sized, "bedrock", _in_chunks)),
    Series(SIZE, "gemini, download", _MIB, (2048,), partial(_sized, "gemini", _downloaded)),
    *(
        Series(LINES, f"{kind}, {operation}", _LINES, more, partial(_translated, kind, operation))
        for kind, more in _MORE_LINES.items()
        for operation in (RESULTS, CREATION)
    ),
    Series(CONNECTIONS, "gemini, chunks at once", (1, 8, 64, 512), (), _connected),
)


async def points(series: Sequence[Series]) -> AsyncIterator[Point]:
    cores = usable_cores()
    with on_cores(cores[-1:]):
        for each in series:
            for amount in each.amounts:
                cost, over = await each.measure(cores[0], amount)
                yield Point(each.axis, each.name, amount, cost, over)


async def run(series: Sequence[Series]) -> list[Point]:
    """Prints each point, after the seconds since the start."""
    found, began = [], time.monotonic()
    async for point in points(series):
        print(f"{time.monotonic() - began:4.0f} s {line(point)}", flush=True)
        found.append(point)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.side_by_side.growth")
    parser.add_argument("--long", action="store_true", help="up to the largest amounts")
    parser.add_argument("--only", default="", metavar="WORD", help="in the name of a series")
    chosen = parser.parse_args()
    series = [each for each in SERIES if chosen.only in each.name]
    if chosen.long:
        series = [replace(each, amounts=(*each.amounts, *each.more)) for each in series]
    found = asyncio.run(run(series))
    if not chosen.only:
        REPORT.mkdir(exist_ok=True)
        measured = measured_on()
        (REPORT / "growth.md").write_text(markdown(found, measured))
        (REPORT / "growth.svg").write_text(picture(found, measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
