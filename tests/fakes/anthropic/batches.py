"""`/v1/messages/batches` (anthropic.md section 2)."""

import asyncio
from typing import Any

from aiohttp import web

from ..blob import Blob, BlobResponse
from ..intake import BodyTooLong, body_chunks
from .batch_body import find_requests
from .envelope import now, refuse, timestamp
from .gate import allow_query, needs_json, no_body
from .paging import cursor_page
from .progress import look
from .store import DIALECT, OWNER, STORE, StoredBatch

LARGEST_BODY = 256_000_000
RESULTS = "/v1/messages/batches/{id}/results"


async def create_batch(request: web.Request) -> web.Response:
    allow_query(request)
    needs_json(request)
    if (request.content_length or 0) > LARGEST_BODY:
        raise BodyTooLong
    with request.app[STORE].blobs.writing() as writer:
        async for chunk in body_chunks(request):
            writer.write(chunk)
            if writer.size > LARGEST_BODY:
                raise BodyTooLong
        blob: Blob = writer.finish()
        requests = await asyncio.to_thread(find_requests, blob)
    batch = request.app[STORE].add_batch(request[OWNER], blob, requests, request[DIALECT])
    return web.json_response(_shown(request, batch))


def _shown(request: web.Request, batch: StoredBatch) -> dict[str, Any]:
    there = batch.status == "ended" and batch.resource["archived_at"] is None
    return batch.resource | {"results_url": _results_url(request, batch) if there else None}


def _results_url(request: web.Request, batch: StoredBatch) -> str:
    """The URL that a test set, if any: gateways and compatible servers write other URLs."""
    said = request.app[STORE].settings.results_url
    pattern = said or str(request.url.origin()) + RESULTS
    return pattern.replace("{id}", batch.resource["id"])


async def get_batch(request: web.Request) -> web.Response:
    allow_query(request)
    store = request.app[STORE]
    batch = store.batch(request[OWNER], request.match_info["id"])
    async with batch.lock:
        if store.settings.auto_advance:
            await look(store, batch)
        return web.json_response(_shown(request, batch))


async def list_batches(request: web.Request) -> web.Response:
    allow_query(request, "limit", "after_id", "before_id")
    batches = reversed(request.app[STORE].batches.values())
    mine = [_shown(request, batch) for batch in batches if batch.owner == request[OWNER]]
    return cursor_page(request, mine)


async def cancel_batch(request: web.Request) -> web.Response:
    allow_query(request)
    await no_body(request)
    batch = request.app[STORE].batch(request[OWNER], request.match_info["id"])
    async with batch.lock:
        if batch.status == "ended":
            raise refuse(400, f"Message Batch {batch.resource['id']} has already ended.")
        if batch.status != "canceling":
            batch.resource["processing_status"] = "canceling"
            batch.resource["cancel_initiated_at"] = timestamp(now())
        return web.json_response(_shown(request, batch))


async def delete_batch(request: web.Request) -> web.Response:
    allow_query(request)
    await no_body(request)
    store, native_id = request.app[STORE], request.match_info["id"]
    batch = store.batch(request[OWNER], native_id)
    async with batch.lock:
        if batch.status != "ended":
            raise refuse(400, f"Message Batch {native_id} is still processing: cancel it first.")
        store.batches.pop(native_id, None)
    return web.json_response({"id": native_id, "type": "message_batch_deleted"})


async def get_results(request: web.Request) -> web.StreamResponse:
    allow_query(request)
    batch = request.app[STORE].batch(request[OWNER], request.match_info["id"])
    if batch.resource["archived_at"] is not None:
        raise refuse(404, "The results of this Message Batch are no longer available.")
    if batch.results is None:
        raise refuse(400, "This Message Batch has no results yet.")
    return BlobResponse(batch.results, "application/x-jsonl")
