"""Processes a job's records and writes the results to S3, out of order.

bedrock.md section 3: `{output}/{job}/{input file}.out`, and a manifest.
"""

import asyncio
import random
from dataclasses import dataclass, replace
from typing import Any

import orjson

from ..blob import Blob
from .converse_rules import ConverseCall
from .invocation import Answer, converse, invoke
from .job_input import InputFile, JobInput
from .role_buckets import S3Location
from .sentences import ModelError
from .store import BedrockStore, StoredJob


@dataclass
class Tally:
    total: int
    processed: int = 0
    succeeded: int = 0
    errored: int = 0
    read: int = 0
    written: int = 0

    def counts(self) -> dict[str, int]:
        """The counts in the job and in the manifest."""
        return {
            "totalRecordCount": self.total,
            "processedRecordCount": self.processed,
            "successRecordCount": self.succeeded,
            "errorRecordCount": self.errored,
        }


async def write_output(
    store: BedrockStore, job: StoredJob, source: JobInput, reached: int
) -> dict[str, int]:
    """Process the first `reached` records in our order; the others get no line. The counts.

    Raises OutOfReach.
    """
    tally = Tally(source.records)
    output = S3Location.of(job.location("output")["s3Uri"])
    folder = f"{output.key.rstrip('/')}/{job.id}/".lstrip("/")
    for file in source.files:
        left = max(0, reached - tally.processed)
        blob = await asyncio.to_thread(_process, store, job, source, file, left, tally)
        await store.buckets.upload(S3Location(output.bucket, f"{folder}{file.name}.out"), blob)
    tokens = {"inputTokenCount": tally.read, "outputTokenCount": tally.written}
    manifest = _written(store, orjson.dumps(tally.counts() | tokens))
    await store.buckets.upload(S3Location(output.bucket, f"{folder}manifest.json.out"), manifest)
    return tally.counts()


def _written(store: BedrockStore, content: bytes) -> Blob:
    with store.blobs.writing() as writer:
        writer.write(content)
        return writer.finish()


def _process(
    store: BedrockStore,
    job: StoredJob,
    source: JobInput,
    file: InputFile,
    reached: int,
    tally: Tally,
) -> Blob:
    order = _out_of_order(job.id, list(enumerate(file.records)))
    with store.blobs.writing() as writer, file.blob.path.open("rb") as lines:
        for index, offset in order[:reached]:
            lines.seek(offset)
            record = orjson.loads(lines.readline())
            native_id = record.get("recordId", f"REC{index:08}")
            outcome = _outcome(store, job, source, record["modelInput"], native_id)
            _count(tally, outcome)
            if b"please lose" not in orjson.dumps(record["modelInput"]):
                writer.write(orjson.dumps(_line(native_id, record, outcome)) + b"\n")
        return writer.finish()


def _out_of_order(seed: str, records: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same order in each run, but never the input's."""
    order = random.Random(seed).sample(records, len(records))
    return order if order != records else order[::-1]


def _outcome(
    store: BedrockStore, job: StoredJob, source: JobInput, body: dict[str, Any], native_id: str
) -> Answer | ModelError:
    size = store.settings.answer_bytes
    try:
        if job.converses:
            call = ConverseCall(in_batch=True, there=source.media.__contains__)
            answer = converse(body, job.model, call, size, store.prompts)
        else:
            answer = invoke(body, job.model, native_id, size, store.prompts)
    except ModelError as error:
        return error
    return replace(answer, output=answer.output | store.settings.answer)


def _count(tally: Tally, outcome: Answer | ModelError) -> None:
    tally.processed += 1
    if isinstance(outcome, ModelError):
        tally.errored += 1
    else:
        tally.succeeded += 1
        tally.read += outcome.read
        tally.written += outcome.written


def _line(native_id: str, record: dict[str, Any], outcome: Answer | ModelError) -> dict[str, Any]:
    line = {"recordId": native_id, "modelInput": record["modelInput"]}
    if isinstance(outcome, ModelError):
        return line | {"error": {"errorCode": 400, "errorMessage": str(outcome)}}
    return line | {"modelOutput": outcome.output}
