"""A batch's two result files, not in the order of the input."""

import hashlib
import random
from dataclasses import dataclass
from typing import Any

import orjson

from ..blob import Blob, BlobWriter
from ..refusal import Refusal
from ..shape import ShapeError
from .answers import answer
from .envelope import shape_body
from .invented import LineError
from .named_files import check_named_files
from .store import OpenAIStore, StoredBatch

TEXTS = {
    "expired": "This request could not be executed before the completion window expired.",
    "cancelled": "This request was cancelled with its batch.",
}


@dataclass
class Results:
    """`good` and `bad` count lines; tokens are summed over the good ones."""

    output: Blob | None = None
    error: Blob | None = None
    good: int = 0
    bad: int = 0
    asked: int = 0
    written: int = 0


class Lost(Exception):
    """A line that the provider does not answer."""


def answer_lines(store: OpenAIStore, batch: StoredBatch, partial: str | None) -> Results:
    """Answer every line, or with `partial` (cancelled, expired) the first half in our order.

    In the other half, each expired line has an error; of the cancelled lines only every second.
    """
    results = Results()
    order = list(batch.offsets)
    random.Random(batch.resource["id"]).shuffle(order)
    reached = len(order) // 2 if partial else len(order)
    output, error = store.blobs.writer(), store.blobs.writer()
    with batch.source.path.open("rb") as source:
        for index, offset in enumerate(order):
            source.seek(offset)
            line = orjson.loads(source.readline())
            if partial is None or index < reached:
                _answer_line(store, batch, line, results, output, error)
            elif partial == "expired" or (index - reached) % 2 == 0:
                code = f"batch_{partial}"
                told = {"code": code, "message": TEXTS[partial]}
                _write(error, line, response=None, error=told)
                results.bad += 1
    results.output, results.error = output.finish_unless_empty(), error.finish_unless_empty()
    return results


def _answer_line(
    store: OpenAIStore,
    batch: StoredBatch,
    line: dict[str, Any],
    results: Results,
    output: BlobWriter,
    error: BlobWriter,
) -> None:
    if b"please lose" in orjson.dumps(line["body"]):
        return
    try:
        check_named_files(store, batch.owner, line["body"])
        body = answer(batch.resource["endpoint"], line["body"], store.settings.answer_bytes)
    except ShapeError as wrong:
        status, body = 400, shape_body(wrong)
    except LineError as failure:
        status, body = failure.status, failure.body
    except Refusal as refusal:
        status, body = refusal.status, dict(refusal.payload)
    else:
        status = 200
        body |= store.settings.answer
        usage = body["usage"]
        results.asked += usage.get("prompt_tokens", usage.get("input_tokens", 0))
        results.written += usage.get("completion_tokens", usage.get("output_tokens", 0))
    results.good += status == 200
    results.bad += status != 200
    answered = {
        "status_code": status,
        "request_id": _derived("req_", line["custom_id"]),
        "body": orjson.dumps(body).decode() if store.settings.body_as_text else body,
    }
    _write(output if status == 200 else error, line, response=answered, error=None)


def _write(writer: BlobWriter, line: dict[str, Any], **outcome: Any) -> None:
    custom_id = line["custom_id"]
    result = {"id": _derived("batch_req_", custom_id), "custom_id": custom_id, **outcome}
    writer.write(orjson.dumps(result) + b"\n")


def _derived(prefix: str, custom_id: str) -> str:
    return prefix + hashlib.sha256(custom_id.encode()).hexdigest()[:24]
