"""Samples what no event shows: the memory budget, the process, how late the event loop runs."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web
from prometheus_client import ProcessCollector

from providers.memory import MemoryBudget
from proxy.background import beside
from proxy.metrics import Metrics
from proxy.quotas import Usage
from proxy.threads import in_thread

SECONDS: Final = 0.5
# Counting ten thousand open descriptors takes 20 ms, so it is done rarely, and in a thread.
PROCESS_SECONDS: Final = 5.0

_PROCESS: Final = ProcessCollector(registry=None)


class Sampler:
    """`running` is for `app.cleanup_ctx`."""

    def __init__(self, metrics: Metrics, memory: MemoryBudget, usage: Usage) -> None:
        self._metrics = metrics
        self._memory = memory
        self._usage = usage
        self._of_process = {
            "process_resident_memory_bytes": metrics.resident_memory,
            "process_open_fds": metrics.open_descriptors,
            "process_max_fds": metrics.descriptor_limit,
        }

    def sample(self) -> None:
        self._metrics.memory_size.set(self._memory.size)
        self._metrics.memory_used.set(self._memory.used)
        self._metrics.state_bytes.set(self._usage.total)

    def sample_process(self) -> None:
        """Only where /proc shows it; without a descriptor to read it, the last figures stay."""
        for family in _PROCESS.collect():
            gauge = self._of_process.get(family.name)
            if gauge is not None:
                gauge.set(family.samples[0].value)

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        await in_thread(self.sample_process)
        # Apart, because a hanging disk can occupy all threads.
        async with beside(self._sample_periodically(), self._sample_process_periodically()):
            yield

    async def _sample_process_periodically(self) -> None:
        while True:
            await asyncio.sleep(PROCESS_SECONDS)
            await in_thread(self.sample_process)

    async def _sample_periodically(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.sample()
            planned = loop.time() + SECONDS
            await asyncio.sleep(SECONDS)
            self._metrics.loop_lag.observe(max(0.0, loop.time() - planned))
