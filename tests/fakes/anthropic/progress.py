"""How a batch advances: in_progress (or canceling) -> ended, at each get after the first."""

import asyncio

from .envelope import now, timestamp
from .results import answer_requests
from .store import AnthropicStore, StoredBatch

STATUSES = ("in_progress", "canceling", "ended")


async def look(store: AnthropicStore, batch: StoredBatch) -> None:
    """The first get shows the batch as created; each later get moves it one step."""
    if batch.seen:
        await advance(store, batch)
    batch.seen = True


async def advance(store: AnthropicStore, batch: StoredBatch) -> None:
    """Move one step, unless the batch has ended or a test holds it."""
    if batch.status not in ("ended", batch.hold):
        await move(store, batch, "ended")


async def move(store: AnthropicStore, batch: StoredBatch, status: str) -> None:
    """Move to `status`. Requests are answered at the end; an ended batch stays ended."""
    if batch.status == "ended":
        return
    if status == "canceling" and batch.status != "canceling":
        batch.resource["cancel_initiated_at"] = timestamp(now())
    if status == "ended":
        results = await asyncio.to_thread(answer_requests, store, batch)
        batch.results = results.blob
        batch.resource["request_counts"] = results.counts
        batch.resource["ended_at"] = timestamp(now())
    batch.resource["processing_status"] = status
