"""How long the proxy takes from its start to its first answer, and its memory at rest."""

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.measurement import memory
from tests.benchmarks.side_by_side.sides import FERRY, Side, on_core
from tests.processes import start_proxy

_UPSTREAMS = {"openai": {"BASE_URL": "http://127.0.0.1:9"}}


@dataclass(frozen=True)
class Started:
    """Medians. `cpu` and `wall` in seconds until it listens, `memory` in bytes."""

    cpu: float
    wall: float
    memory: int
    starts: int


async def started(core: int, starts: int) -> Started:
    found = [await _start(core) for _ in range(starts)]
    cpu, wall, at_rest = (statistics.median(column) for column in zip(*found, strict=True))
    return Started(cpu, wall, int(at_rest), starts)


async def _start(core: int) -> tuple[float, float, int]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with on_core(core):
            process = await start_proxy(Path(folder), _UPSTREAMS)
        wall = time.perf_counter() - began
        side = Side(FERRY, process.pid, process.url, {})
        found = side.cpu_seconds(), wall, memory(process.pid, "VmRSS")
        await process.stop()
    return found
