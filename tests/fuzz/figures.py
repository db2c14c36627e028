"""What a proxy process has in use: memory, descriptors and tasks."""

import asyncio
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.measurement import memory
from tests.processes import Process

SETTLING_SECONDS: Final = 30.0
PAUSE_SECONDS: Final = 0.2


@dataclass(frozen=True)
class Figures:
    memory: int
    descriptors: int
    tasks: int

    def __str__(self) -> str:
        return f"{self.memory >> 20} MiB, {self.descriptors} descriptors, {self.tasks} tasks"


async def figures(process: Process) -> Figures:
    """Those of a process that runs `counted_proxy`."""
    seen = len(process.lines)
    os.kill(process.pid, signal.SIGUSR1)
    tasks = None
    async with asyncio.timeout(SETTLING_SECONDS):
        while tasks is None:
            await asyncio.sleep(PAUSE_SECONDS)
            tasks = next(filter(None, map(_tasks, process.lines[seen:])), None)
    descriptors = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
    return Figures(memory(process.pid, "VmRSS"), descriptors, tasks)


async def settled(process: Process, before: Figures, more_tasks: int) -> Figures:
    """The figures once no more tasks run than before, or after the longest wait for it.

    `more_tasks` may be added: such as one for each connection to an upstream that is kept open.
    """
    now = await figures(process)
    loop = asyncio.get_running_loop()
    end = loop.time() + SETTLING_SECONDS
    while loop.time() < end and now.tasks > before.tasks + more_tasks:
        now = await figures(process)
    return now


def growth(before: Figures, after: Figures, limits: Figures) -> list[str]:
    """A sentence for each figure that grew by more than its limit."""
    grown = {
        "memory": after.memory - before.memory > limits.memory,
        "descriptors": after.descriptors - before.descriptors > limits.descriptors,
        "tasks": after.tasks - before.tasks > limits.tasks,
    }
    return [f"{name} grew: {before} to {after}" for name, more in grown.items() if more]


def _tasks(line: str) -> int | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None
    return document.get("tasks") if isinstance(document, dict) else None
