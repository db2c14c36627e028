"""`/v1/batches` (openai.md section 4). There is no delete."""

import time
from typing import Any

from aiohttp import web

from ..calls import allow_query, no_body, read_object
from ..shape import Nullable, Record, Text
from .chat_request import METADATA
from .envelope import refuse
from .paging import cursor_page
from .progress import advance
from .store import OWNER, STORE, TERMINAL, StoredBatch
from .uploads import EXPIRES_AFTER

ENDPOINTS = (
    "/v1/responses",
    "/v1/chat/completions",
    "/v1/embeddings",
    "/v1/completions",
    "/v1/moderations",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/videos",
)
WINDOW = 24 * 3600
CREATE = Record(
    {
        "input_file_id": Text(low=1),
        "endpoint": Text(choices=ENDPOINTS),
        "completion_window": Text(choices=["24h"]),
        "metadata": Nullable(METADATA),
        "output_expires_after": EXPIRES_AFTER,
    },
    required=("input_file_id", "endpoint", "completion_window"),
)
MOMENTS = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
UNKNOWN_YET = ("model", "errors", "output_file_id", "error_file_id", "usage")


async def create_batch(request: web.Request) -> web.Response:
    allow_query(request)
    spec = CREATE.parse(await read_object(request))
    store, owner, now = request.app[STORE], request[OWNER], int(time.time())
    source = store.files.get(spec["input_file_id"])
    if source is None or source.owner != owner:
        message = f"No such File object: {spec['input_file_id']}"
        raise refuse(400, message, param="input_file_id")
    if source.resource["purpose"] != "batch":
        message = f"The input file's purpose is {source.resource['purpose']}, not batch."
        raise refuse(400, message, param="input_file_id")
    if source.resource["status"] == "pending":
        message = (
            f"The input file '{spec['input_file_id']}' is in 'pending' state. Only files with "
            "status 'Processed' are accepted for batch inferencing."
        )
        raise refuse(400, message, param="input_file_id")
    resource: dict[str, Any] = {
        "id": store.new_id("batch_", 32),
        "object": "batch",
        "endpoint": spec["endpoint"],
        "input_file_id": spec["input_file_id"],
        "completion_window": "24h",
        "status": "validating",
        "created_at": now,
        "expires_at": now + WINDOW,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": spec.get("metadata") if store.settings.keeps_metadata else None,
        **dict.fromkeys(UNKNOWN_YET),
        **{f"{moment}_at": None for moment in MOMENTS},
    }
    expires_in = spec.get("output_expires_after", {}).get("seconds")
    batch = StoredBatch(owner, resource, source.blob, expires_in=expires_in)
    store.batches[resource["id"]] = batch
    return web.json_response(resource)


async def get_batch(request: web.Request) -> web.Response:
    allow_query(request)
    store = request.app[STORE]
    batch = store.batch(request[OWNER], request.match_info["id"])
    async with batch.lock:
        if store.settings.auto_advance:
            await advance(store, batch)
        return web.json_response(batch.resource)


async def list_batches(request: web.Request) -> web.Response:
    allow_query(request, "after", "limit")
    batches = reversed(request.app[STORE].batches.values())
    mine = [batch.resource for batch in batches if batch.owner == request[OWNER]]
    return cursor_page(request, mine, default=20, largest=100)


async def cancel_batch(request: web.Request) -> web.Response:
    allow_query(request)
    await no_body(request)
    batch = request.app[STORE].batch(request[OWNER], request.match_info["id"])
    async with batch.lock:
        if batch.status in TERMINAL:
            message = f"Cannot cancel a batch with status '{batch.status}'."
            raise refuse(409, message)
        if batch.status != "cancelling":
            batch.resource |= {"status": "cancelling", "cancelling_at": int(time.time())}
        return web.json_response(batch.resource)
