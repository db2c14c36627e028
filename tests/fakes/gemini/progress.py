"""How a batch moves: one state at each get, its results written when it succeeds."""

import asyncio
from typing import Any

import orjson

from ..blob import Blob
from ..shape import ShapeError
from .content import EMBED, GENERATE, line
from .envelope import timestamp
from .generation import LineError, embed, generate
from .store import TERMINAL, GeminiStore, StoredBatch

NEXT = {"PENDING": "RUNNING", "RUNNING": "SUCCEEDED"}
GENERATE_LINE, EMBED_LINE = line(GENERATE), line(EMBED)


async def advance(store: GeminiStore, batch: StoredBatch, origin: str) -> None:
    """Move one state on, or to the state that a test chose."""
    if batch.state in TERMINAL or (batch.goal is None and batch.state == batch.hold):
        return
    state, batch.goal = batch.goal or NEXT[batch.state], None
    if state == "SUCCEEDED":
        await _succeed(store, batch, origin)
    elif state == "FAILED":
        batch.error = {"code": 13, "message": "The batch failed."}
    batch.updated = timestamp()
    batch.ended = batch.updated if state in TERMINAL else None
    batch.state = state


async def _succeed(store: GeminiStore, batch: StoredBatch, origin: str) -> None:
    size = store.settings.answer_bytes
    if batch.source is not None:
        blob = await asyncio.to_thread(_answer_file, store, batch, batch.source, size)
        spec = {"name": f"files/batch-{batch.native_id}"}
        file = await store.add_file(
            batch.owner, blob, origin, spec, "application/jsonl", generated=True
        )
        batch.output = {"responsesFile": file["name"]}
        return
    items = [_answer_inline(batch, item, size) for item in batch.inline or ()]
    batch.failed = sum("error" in item for item in items)
    kind = "inlinedEmbedContentResponses" if batch.embedding else "inlinedResponses"
    batch.output = {kind: {"inlinedResponses": items}}


def _answer(batch: StoredBatch, request: dict[str, Any], size: int) -> dict[str, Any]:
    try:
        if batch.embedding:
            return {"response": embed(request)}
        model = request.get("model", batch.model).removeprefix("models/")
        return {"response": generate(model, request, size)}
    except LineError as error:
        return {"error": error.status}


def _answer_inline(batch: StoredBatch, item: dict[str, Any], size: int) -> dict[str, Any]:
    metadata = {"metadata": item["metadata"]} if "metadata" in item else {}
    return _answer(batch, item["request"], size) | metadata


def _answer_file(store: GeminiStore, batch: StoredBatch, source: Blob, size: int) -> Blob:
    """Answer line after line, in input order."""
    shape = EMBED_LINE if batch.embedding else GENERATE_LINE
    writer = store.blobs.writer()
    batch.requests = batch.failed = 0
    with source.path.open("rb") as lines:
        for text in lines:
            if text.isspace():
                continue
            batch.requests += 1
            key: dict[str, Any] = {}
            try:
                parsed = orjson.loads(text)
                if isinstance(parsed, dict) and "key" in parsed:
                    key = {"key": parsed["key"]}
                result = _answer(batch, shape.parse(parsed)["request"], size)
            except (ShapeError, orjson.JSONDecodeError) as error:
                result = {"error": {"code": 3, "message": str(error)}}
            batch.failed += "error" in result
            writer.write(orjson.dumps(key | result) + b"\n")
    return writer.finish()
