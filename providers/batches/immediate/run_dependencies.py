"""The objects that all runs of one process share."""

import asyncio
from dataclasses import dataclass
from typing import Final

from providers.batches.immediate.answerer import Answerer
from providers.batches.immediate.clock import Clock
from providers.batches.immediate.working_memory import WorkingMemory

# Concurrent calls of one job, and of all jobs of one process.
CALLS_OF_A_JOB: Final = 8
CALLS_OF_A_PROCESS: Final = 32


@dataclass(frozen=True, slots=True)
class RunDependencies:
    """`slots` limits the concurrent calls of all runs together."""

    answerer: Answerer
    memory: WorkingMemory
    clock: Clock
    slots: asyncio.Semaphore
