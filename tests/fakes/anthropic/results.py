"""The results of a batch, one line per request, not in the order of the input."""

import hashlib
import random
from dataclasses import dataclass
from typing import Any

import orjson

from ..blob import Blob
from ..refusal import Refusal
from ..shape import ShapeError
from .answers import answer
from .envelope import enveloped, error_body, shape_text
from .request_rules import parse_params, pieces
from .store import AnthropicStore, StoredBatch


@dataclass(frozen=True)
class Results:
    """`counts` has the form of `request_counts`."""

    blob: Blob
    counts: dict[str, int]


def answer_requests(store: AnthropicStore, batch: StoredBatch) -> Results:
    """Answer `batch.reached` requests in our order: all by default, half of a cancelled batch.

    Each of the others was cancelled with the batch, or else expired with it. A request that asks
    to be lost is counted as errored, and has no line.
    """
    order = list(batch.requests)
    random.Random(batch.resource["id"]).shuffle(order)
    canceled = batch.status == "canceling"
    usual = len(order) // 2 if canceled else len(order)
    reached = usual if batch.reached is None else batch.reached
    unreached = {"type": "canceled" if canceled else "expired"}
    counts = dict.fromkeys(batch.resource["request_counts"], 0)
    with store.blobs.writing() as writer, batch.source.path.open("rb") as source:
        for index, (start, end) in enumerate(order):
            source.seek(start)
            request = orjson.loads(source.read(end - start))
            result = _result(store, batch, request) if index < reached else unreached
            counts[result["type"] if result else "errored"] += 1
            if result:
                line = {"custom_id": request["custom_id"], "result": result}
                writer.write(orjson.dumps(line) + b"\n")
        return Results(writer.finish(), counts)


def _result(
    store: AnthropicStore, batch: StoredBatch, request: dict[str, Any]
) -> dict[str, Any] | None:
    """The result of one request; nothing if it was lost."""
    params, custom_id = request["params"], request["custom_id"]
    asked = orjson.dumps(params.get("messages"))
    if b"please lose" in asked:
        return None
    if b"please expire" in asked:
        return {"type": "expired"}

    def media_type(file_id: str) -> str:
        return str(store.file(batch.owner, file_id).resource["mime_type"])

    try:
        parsed = parse_params(params, batch.dialect, media_type)
        if parsed.get("stream"):
            raise ShapeError("value", "stream", "streaming is not supported in a batch")
        cached = store.prompts.use(batch.owner, parsed["model"], pieces(parsed))
        message = answer(parsed, custom_id, store.settings.answer_bytes, cached)
    except Refusal as refusal:
        error = dict(refusal.payload)
    except ShapeError as wrong:
        error = error_body(400, shape_text(wrong))
    else:
        return {"type": "succeeded", "message": message | store.settings.answer}
    request_id = "req_01" + hashlib.sha256(custom_id.encode()).hexdigest()[:22]
    return {"type": "errored", "error": enveloped(error, request_id)}
