"""The workloads, one row each, and how one is run."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tests.benchmarks.batches import (
    create_from_file,
    create_from_staged_file,
    download_results,
)
from tests.benchmarks.measurement import HealthProbe, Measurement, memory
from tests.benchmarks.scale import Scale
from tests.benchmarks.stage import Stage, stage
from tests.benchmarks.uploads import upload_all


@dataclass(frozen=True)
class Workload:
    """`run` returns how many bytes it moved, and raises if they did not arrive."""

    name: str
    kind: str
    run: Callable[[Stage], Awaitable[int]]
    env: Mapping[str, str] = field(default_factory=dict)


STAGED: Final = {"FERRY_PROVIDERS__OPENAI__UPLOADS": "staged"}

WORKLOADS: Final = (
    Workload("uploads to gemini", "gemini", upload_all),
    Workload("uploads to openai", "openai", upload_all),
    Workload("uploads to bedrock", "bedrock", upload_all),
    Workload("staged uploads to openai", "openai", upload_all, STAGED),
    Workload("batch from a file at openai", "openai", create_from_file),
    Workload("batch from a staged file at anthropic", "anthropic", create_from_staged_file),
    Workload("results from openai", "openai", download_results),
    Workload("native results from openai", "openai", partial(download_results, form="native")),
)


async def measure(workload: Workload, scale: Scale) -> Measurement:
    async with stage(workload.kind, scale, workload.env) as ready:
        pid, probe = ready.proxy.pid, HealthProbe(ready.proxy.url)
        at_rest, began = memory(pid, "VmRSS"), time.perf_counter()
        with probe.running():
            moved = await workload.run(ready)
        seconds, peak = time.perf_counter() - began, memory(pid, "VmHWM")
    return Measurement(workload.name, moved, seconds, at_rest, peak, probe.slowest)
