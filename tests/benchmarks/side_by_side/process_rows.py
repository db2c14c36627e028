"""Rows about the process itself: its memory, its start, and several workers."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.measurement import memory
from tests.benchmarks.scale import MIB
from tests.benchmarks.side_by_side import load
from tests.benchmarks.side_by_side.bulk_rows import CONNECTIONS, storing, towards
from tests.benchmarks.side_by_side.figures import THROUGHPUT, Figure, Reach, not_measured
from tests.benchmarks.side_by_side.plan import Plan
from tests.benchmarks.side_by_side.sides import (
    ferry,
    ferry_process,
    ferry_side,
    on_cores,
    upstream,
)
from tests.benchmarks.side_by_side.turns import compare, spread

SLOW_SIZE: Final = 64 * MIB
SLOW_RATE: Final = 8e6
ONE_WORKER, TWO_WORKERS = "one worker", "two workers"
WORKERS: Final = f"{TWO_WORKERS}, chunks on {CONNECTIONS} connections"
_CORES: Final = 4
_REPEATS: Final = 2
_FAST: Final = Reach("≤", 100)
_SLOW: Final = Reach("≤", 64)
_TWICE: Final = Reach("≥", 1.8)
_START: Final = Reach("≤", 0.35)
_AT_REST: Final = Reach("≤", 60)


@dataclass(frozen=True)
class Uploads:
    """`connections` at once with a file of `size` bytes each, of which the upstream reads at most
    `rate` bytes a second."""

    kind: str
    connections: int
    size: int
    rate: float | None = None


async def memory_rows(plan: Plan) -> AsyncIterator[Figure]:
    slow, mib = plan.size.slow_uploads, SLOW_SIZE // MIB
    for kind in ("gemini", "openai", "bedrock"):
        uploads = Uploads(kind, slow, SLOW_SIZE, SLOW_RATE)
        if plan.wants(name := f"{kind}, {slow} slow uploads of {mib} MiB"):
            yield await _memory(plan.core, name, uploads, _SLOW)
    fast = plan.size.connections
    if plan.wants(name := f"gemini, {fast} fast connections, a chunk on each"):
        yield await _memory(plan.core, name, Uploads("gemini", fast, load.CHUNK), _FAST)


async def _memory(core: int, name: str, uploads: Uploads, reach: Reach) -> Figure:
    found = [await _over_idle(core, uploads) for _ in range(_REPEATS)]
    idle, over = (spread(column) for column in zip(*found, strict=True))
    details = f"idle: {idle.median:.0f} MiB"
    return Figure(name, "memory over idle", "", over, reach, "MiB", turns=_REPEATS, details=details)


async def _over_idle(core: int, uploads: Uploads) -> tuple[float, float]:
    """The memory of an idle proxy, and what it needs more at its peak, in MiB."""
    total = uploads.connections * uploads.size
    with tempfile.TemporaryDirectory() as folder:
        async with (
            upstream(rate=uploads.rate) as origin,
            ferry(Path(folder), core, storing(origin)) as gemini,
        ):
            side, idle = towards(gemini, uploads.kind), memory(gemini.pid, "VmRSS")
            await asyncio.to_thread(load.uploads, side, uploads.connections, total, load.CHUNK)
            return idle / MIB, (side.peak() - idle) / MIB


# --- the start ------------------------------------------------------------------------------------


async def start_rows(plan: Plan) -> AsyncIterator[Figure]:
    if not plan.wants("start"):
        return
    count = plan.size.starts
    with tempfile.TemporaryDirectory() as compiled:
        # An installed program is compiled already; a checkout may not be. And it comes without
        # rich, a tool for development, which structlog loads where it is there.
        (Path(compiled) / "rich.py").write_text("raise ImportError\n")
        env = {
            "PYTHONPATH": compiled,
            "PYTHONPYCACHEPREFIX": compiled,
            "PYTHONDONTWRITEBYTECODE": "",
        }
        await _start(plan.core, env)
        found = [await _start(plan.core, env) for _ in range(count)]
    cpu, wall, at_rest = (spread(column) for column in zip(*found, strict=True))
    details = f"{wall.median:.2f} s on the clock ({wall.least:.2f} to {wall.most:.2f})"
    name = "start until it listens"
    yield Figure(name, "CPU time", "", cpu, _START, "s", turns=count, details=details)
    yield Figure("after the start", "memory at rest", "", at_rest, _AT_REST, "MiB", turns=count)


async def _start(core: int, env: Mapping[str, str]) -> tuple[float, float, float]:
    """In seconds of CPU time, in seconds on the clock, and in MiB."""
    upstreams = {"openai": {"BASE_URL": "http://127.0.0.1:9"}}
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        async with ferry(Path(folder), core, upstreams, env) as side:
            wall = time.perf_counter() - began
            return side.cpu_seconds(), wall, memory(side.pid, "VmRSS") / MIB


# --- two workers ----------------------------------------------------------------------------------


async def worker_rows(plan: Plan) -> AsyncIterator[Figure]:
    """Two workers on two cores against one on one; the load and the upstream have two others."""
    if not plan.wants(WORKERS):
        return
    if len(plan.cores) < _CORES:
        yield not_measured(WORKERS, THROUGHPUT, "fewer than four cores", _TWICE)
        return
    with on_cores(plan.cores[2:]):
        yield await two_workers(plan, plan.cores[:2])


async def two_workers(plan: Plan, cores: Sequence[int]) -> Figure:
    size = plan.size.bulk
    work = partial(load.uploads, connections=CONNECTIONS, size=size, chunk=load.CHUNK)
    with tempfile.TemporaryDirectory() as folder:
        async with upstream() as origin:
            settings = {"gemini": {"BASE_URL": origin.url}}
            two = {"FERRY_WORKERS": "2"}
            async with (
                ferry_process(Path(folder) / "1", cores[:1], settings) as one_process,
                ferry_process(Path(folder) / "2", cores, settings, two) as two_process,
            ):
                one = ferry_side(one_process, "gemini", ONE_WORKER)
                both = ferry_side(two_process, "gemini", TWO_WORKERS)
                compared = await asyncio.to_thread(compare, [one, both], work, plan.size.turns)
    return compared.figure(WORKERS, THROUGHPUT, TWO_WORKERS, _TWICE)
