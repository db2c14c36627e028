"""`batches.*`: create, get, list, cancel, delete (gemini.md sections 5 and 6)."""

import re
from typing import Any

from aiohttp import web

from .content import EMBED, GENERATE, creation
from .envelope import invalid, refuse, timestamp
from .files import page
from .gate import allow_query
from .hand_written import read_json
from .progress import advance
from .store import OWNER, STORE, TERMINAL, StoredBatch

INLINE_LIMIT = 20 * 1024 * 1024
KNOWN_MODEL = re.compile(r"gemini-[\w.-]+|text-embedding-[\w.-]+|embedding-[\w.-]+")
CREATE_GENERATE, CREATE_EMBED = creation(GENERATE), creation(EMBED)
KIND = "type.googleapis.com/google.ai.generativelanguage.v1main."


def known_model(model: str) -> str:
    if not KNOWN_MODEL.fullmatch(model):
        raise refuse("NOT_FOUND", f"models/{model} is not found for this API version.")
    return model


async def create_generate(request: web.Request) -> web.Response:
    return await _create(request, embedding=False)


async def create_embed(request: web.Request) -> web.Response:
    return await _create(request, embedding=True)


async def _create(request: web.Request, embedding: bool) -> web.Response:
    allow_query(request)
    store, owner = request.app[STORE], request[OWNER]
    model = known_model(request.match_info["model"])
    shape = CREATE_EMBED if embedding else CREATE_GENERATE
    spec = shape.parse(await read_json(request, INLINE_LIMIT))["batch"]
    config = spec["inputConfig"]
    if len(config) != 1:
        raise invalid("input_config needs exactly one of file_name and requests.")
    source = None
    if "fileName" in config:
        source = store.file(owner, config["fileName"].removeprefix("files/")).blob
    inline = config["requests"]["requests"] if "requests" in config else None
    now = timestamp()
    batch = StoredBatch(
        owner=owner,
        native_id=store.new_id(24),
        model=model,
        embedding=embedding,
        display_name=spec.get("displayName"),
        input_config={"fileName": config["fileName"]} if source else {},
        inline=inline,
        source=source,
        created=now,
        updated=now,
        requests=len(inline or ()),
    )
    store.batches[batch.native_id] = batch
    return web.json_response(render(batch))


async def get_batch(request: web.Request) -> web.Response:
    allow_query(request)
    store = request.app[STORE]
    batch = store.batch(request[OWNER], request.match_info["id"])
    async with batch.lock:
        if store.settings.auto_advance or batch.goal is not None:
            await advance(store, batch, str(request.url.origin()))
    return web.json_response(render(batch))


async def list_batches(request: web.Request) -> web.Response:
    allow_query(request, "pageSize", "pageToken", "filter")
    store, owner = request.app[STORE], request[OWNER]
    newest_first = [batch for batch in reversed(store.batches.values()) if batch.owner == owner]
    batches, token = page(request, newest_first)
    answer: dict[str, Any] = {}
    if batches:
        answer["operations"] = [render(batch, whole=False) for batch in batches]
    return web.json_response(answer | ({"nextPageToken": token} if token else {}))


async def cancel_batch(request: web.Request) -> web.Response:
    allow_query(request)
    batch = request.app[STORE].batch(request[OWNER], request.match_info["id"])
    if batch.state in TERMINAL:
        raise refuse("FAILED_PRECONDITION", f"The batch has already ended: {batch.state}.")
    batch.state = "CANCELLED"
    batch.updated = batch.ended = timestamp()
    return web.json_response({})


async def delete_batch(request: web.Request) -> web.Response:
    allow_query(request)
    store, native_id = request.app[STORE], request.match_info["id"]
    store.batch(request[OWNER], native_id)
    del store.batches[native_id]
    return web.json_response({})


def render(batch: StoredBatch, whole: bool = True) -> dict[str, Any]:
    """The operation of gemini.md section 5; a list leaves the outputs out."""
    done = batch.state in TERMINAL
    state = batch.state
    kind = KIND + ("EmbedContentBatch" if batch.embedding else "GenerateContentBatch")
    stats = {"requestCount": batch.requests}
    if done:
        good = batch.requests - batch.failed if state == "SUCCEEDED" else 0
        stats |= {"successfulRequestCount": good, "failedRequestCount": batch.failed}
    else:
        stats |= {"pendingRequestCount": batch.requests}
    metadata: dict[str, Any] = {
        "@type": kind,
        "name": f"batches/{batch.native_id}",
        "model": f"models/{batch.model}",
        "state": f"BATCH_STATE_{state}",
        "createTime": batch.created,
        "updateTime": batch.updated,
        "inputConfig": batch.input_config,
        "batchStats": {name: str(count) for name, count in stats.items()},
        "priority": "0",
    }
    if batch.display_name is not None:
        metadata["displayName"] = batch.display_name
    if batch.ended is not None:
        metadata["endTime"] = batch.ended
    operation: dict[str, Any] = {"name": metadata["name"], "metadata": metadata, "done": done}
    if batch.output is not None and whole:
        metadata["output"] = batch.output
        operation["response"] = {"@type": f"{kind}Output", **batch.output}
    if batch.error is not None:
        operation["error"] = batch.error
    return operation
