"""How a batch moves: validating -> in_progress -> finalizing -> completed, one step at each get."""

import asyncio
import time
from typing import Any

from ..blob import Blob
from .batch_input import check_input
from .results import answer_lines
from .store import TERMINAL, OpenAIStore, StoredBatch

NEXT = {
    "validating": "in_progress",
    "in_progress": "finalizing",
    "finalizing": "completed",
    "cancelling": "cancelled",
}
RESULT_KINDS = {"output": "output_file_id", "error": "error_file_id"}


async def advance(store: OpenAIStore, batch: StoredBatch) -> None:
    """Move one step, unless the batch has ended or a test holds it."""
    if batch.status not in TERMINAL and batch.status != batch.hold:
        await move(store, batch, NEXT[batch.status])


async def move(store: OpenAIStore, batch: StoredBatch, status: str) -> None:
    """Move to `status` and do the work before it; the input is checked first."""
    began = batch.status != "validating"
    if not began and status not in ("failed", "cancelling", "cancelled"):
        if not await _validated(batch):
            return
        _enter(batch, "in_progress")
    if status in ("finalizing", "completed", "expired", "cancelled") and batch.offsets:
        await _answer(store, batch, status)
    if status in TERMINAL:
        await _publish(store, batch)
    if status == "failed" and batch.resource["errors"] is None:
        fail(batch, [{"code": "failed", "line": None, "message": "It failed.", "param": None}])
    if status != batch.status:
        _enter(batch, status)


def _enter(batch: StoredBatch, status: str) -> None:
    batch.resource["status"] = status
    if f"{status}_at" in batch.resource:
        batch.resource[f"{status}_at"] = int(time.time())


def fail(batch: StoredBatch, errors: list[dict[str, Any]]) -> None:
    batch.resource["errors"] = {"object": "list", "data": errors}


async def _validated(batch: StoredBatch) -> bool:
    endpoint = batch.resource["endpoint"]
    checked = await asyncio.to_thread(check_input, batch.source, endpoint)
    batch.resource["model"] = checked.model
    if checked.errors:
        fail(batch, checked.errors)
        _enter(batch, "failed")
        return False
    batch.offsets = checked.offsets
    batch.resource["request_counts"]["total"] = len(checked.offsets)
    return True


async def _answer(store: OpenAIStore, batch: StoredBatch, status: str) -> None:
    """Answer the lines; a cancelled or expired batch answers half of them."""
    if batch.results:
        return
    partial = status if status in ("cancelled", "expired") else None
    results = await asyncio.to_thread(answer_lines, store, batch, partial)
    batch.results = {"output": results.output, "error": results.error}
    batch.resource["request_counts"] |= {"completed": results.good, "failed": results.bad}
    batch.resource["usage"] = {
        "input_tokens": results.asked,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": results.written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": results.asked + results.written,
    }


async def _publish(store: OpenAIStore, batch: StoredBatch) -> None:
    """Store the results in files; there is no file without lines."""
    for kind, field in RESULT_KINDS.items():
        blob: Blob | None = batch.results.get(kind)
        if blob is not None and batch.resource[field] is None:
            name = f"{batch.resource['id']}_{kind}.jsonl"
            expiry = batch.expires_in
            file = store.add_file(batch.owner, blob, name, "batch_output", expiry)
            batch.resource[field] = file["id"]
