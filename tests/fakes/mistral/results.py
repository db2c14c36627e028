"""A job's results: one file of answers and one of failures, not in the order of the input."""

import hashlib
import random
from dataclasses import dataclass
from typing import Any

import orjson

from ..blob import Blob, BlobWriter
from ..shape import ShapeError
from .answers import LineError, answer
from .envelope import error_body, validation_body
from .store import MistralStore, StoredJob

TEXTS = {
    "TIMEOUT_EXCEEDED": "The job exceeded its timeout before this request was answered.",
    "CANCELLED": "The job was cancelled before this request was answered.",
}


@dataclass
class Results:
    """`good` and `bad` count lines."""

    output: Blob | None = None
    error: Blob | None = None
    good: int = 0
    bad: int = 0


def answer_lines(store: MistralStore, job: StoredJob, status: str) -> Results:
    """Answer every line, or with another status than SUCCESS the first half in our order.

    Of the other half, every third line has no result; the errors of the others are a text and an
    object in turn, since both are reported.
    """
    results = Results()
    order = list(job.lines)
    random.Random(job.resource["id"]).shuffle(order)
    reached = len(order) if status == "SUCCESS" else len(order) // 2
    output, error = store.blobs.writer(), store.blobs.writer()
    for index, place in enumerate(order):
        line = _read_line(job, place)
        if index < reached:
            _answer_line(store, job, line, results, output, error)
        elif (index - reached) % 3 < 2:
            text = TEXTS[status]
            told = error_body(text) if (index - reached) % 3 else text
            _write(error, line, response=None, error=told)
            results.bad += 1
    results.output, results.error = output.finish_unless_empty(), error.finish_unless_empty()
    return results


def _read_line(job: StoredJob, place: tuple[int, int]) -> dict[str, Any]:
    number, offset = place
    with job.sources[number].path.open("rb") as source:
        source.seek(offset)
        line: dict[str, Any] = orjson.loads(source.readline())
    return line


def _answer_line(
    store: MistralStore,
    job: StoredJob,
    line: dict[str, Any],
    results: Results,
    output: BlobWriter,
    error: BlobWriter,
) -> None:
    if b"please lose" in orjson.dumps(line["body"]):
        return
    try:
        if line["body"].get("stream"):
            raise ShapeError("value", "stream", "A batch does not stream.")
        body = answer(job.resource, line["body"], store.settings.answer_bytes)
    except ShapeError as wrong:
        status, body = 422, error_body(validation_body(wrong, "body"))
    except LineError as failure:
        status, body = failure.status, failure.body
    else:
        status = 200
        body |= store.settings.answer
    results.good += status == 200
    results.bad += status != 200
    answered = {"status_code": status, "body": body}
    _write(output if status == 200 else error, line, response=answered, error=None)


def _write(writer: BlobWriter, line: dict[str, Any], **outcome: Any) -> None:
    custom_id = line["custom_id"]
    native_id = "batch-" + hashlib.sha256(custom_id.encode()).hexdigest()[:32]
    writer.write(orjson.dumps({"id": native_id, "custom_id": custom_id, **outcome}) + b"\n")


def read_outputs(job: StoredJob) -> list[dict[str, Any]]:
    """Every result of a job that has ended."""
    blobs = [blob for blob in job.results.values() if blob is not None]
    return [orjson.loads(line) for blob in blobs for line in blob.path.read_bytes().splitlines()]
