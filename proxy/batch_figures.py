"""Counts the end and the tokens of batches, each once for a batch, at whichever replica.

A client reads the end and the results of a batch as often as it likes. The first reading leaves a
marker in the state store. No client waits for the marker: it is written in the background.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from aiohttp import web

from providers.batches.deleted_markers import batch_marker
from providers.errors import FerryError
from providers.observation import ResultCounts
from providers.resources import Batch, BatchState, Counts
from providers.state import State, write
from providers.stored_objects import COUNTED
from proxy.background import beside
from proxy.metrics import Metrics

_ENDED: Final = "ended"
_TRANSLATED: Final = "translated"
# Events that wait for their marker. They are small, and each is soon written.
_WAITING: Final = 1000
# Events that are known to be counted; for others a marker is tried again.
_REMEMBERED: Final = 10_000
_STOP_SECONDS: Final = 5.0

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Event:
    """`count` is called if no other replica has counted the event with this `marker`."""

    marker: str
    count: Callable[[], None]


class BatchFigures:
    """`running` is for `app.cleanup_ctx`; only then is anything counted."""

    def __init__(self, metrics: Metrics, state: State) -> None:
        self._metrics = metrics
        self._state = state
        self._known: dict[str, None] = {}
        self._events: asyncio.Queue[_Event] = asyncio.Queue(_WAITING)

    def ended(self, provider: str, batch: Batch) -> None:
        count = partial(self._count_end, provider, batch.state, batch.counts)
        self._tell(provider, batch, _ENDED, count)

    def translated(self, provider: str, batch: Batch, counts: ResultCounts) -> None:
        count = partial(self._count_tokens, provider, batch.model or "", counts)
        self._tell(provider, batch, _TRANSLATED, count)

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        async with beside(self._mark_and_count()):
            yield
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._events.join()

    def _tell(self, provider: str, batch: Batch, event: str, count: Callable[[], None]) -> None:
        marker = COUNTED.name(provider, batch_marker(batch.id), event)
        if marker in self._known:
            return
        try:
            self._events.put_nowait(_Event(marker, count))
        except asyncio.QueueFull:
            _log.warning("the figures of a batch were not counted: too many wait")
            return
        self._known[marker] = None
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]

    async def _mark_and_count(self) -> None:
        while True:
            event = await self._events.get()
            try:
                if await write(self._state, event.marker, b""):
                    event.count()
            except FerryError as error:
                _log.warning("the figures of a batch were not counted: %s", error.status.name)
                self._known.pop(event.marker, None)  # the next reading tries again
            finally:
                self._events.task_done()

    def _count_end(self, provider: str, state: BatchState, counts: Counts | None) -> None:
        self._metrics.batches_ended.labels(provider, state.name.lower()).inc()
        if counts is None:
            return
        outcomes = {
            "succeeded": counts.succeeded,
            "failed": counts.failed,
            "unanswered": counts.pending,
        }
        for outcome, number in outcomes.items():
            self._metrics.batch_requests.labels(provider, outcome).inc(number)

    def _count_tokens(self, provider: str, model_of_batch: str, counts: ResultCounts) -> None:
        """Answers of some models do not name the model; then it is that of the batch."""
        for (model, kind), tokens in counts.tokens.items():
            label = self._metrics.model_label(model or model_of_batch)
            self._metrics.tokens.labels(provider, label, kind).inc(tokens)
