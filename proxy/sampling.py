"""Samples what no event shows: the memory budget, and how late the event loop runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from aiohttp import web

from providers.memory import MemoryBudget
from proxy.metrics import Metrics

SECONDS: Final = 0.5


class Sampler:
    """`running` is for `app.cleanup_ctx`."""

    def __init__(self, metrics: Metrics, memory: MemoryBudget) -> None:
        self._metrics = metrics
        self._memory = memory

    def sample(self) -> None:
        self._metrics.memory_size.set(self._memory.size)
        self._metrics.memory_used.set(self._memory.used)

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self._sample_periodically())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _sample_periodically(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.sample()
            planned = loop.time() + SECONDS
            await asyncio.sleep(SECONDS)
            self._metrics.loop_lag.observe(max(0.0, loop.time() - planned))
