"""Batches at Bedrock that have ended, and their results."""

from collections.abc import Mapping
from typing import Any

import orjson

from providers.resource_names import result_file_id
from providers.resources import InlineResults, NewBatch
from tests.contract.bedrock_with_fake import JOB, PREFIX, BedrockWithFake
from tests.fakes.s3 import FILES_BUCKET

TEXTS = [f"question {number}" for number in range(6)]


async def created(bedrock: BedrockWithFake, batch: NewBatch) -> str:
    return (await bedrock.batches.create(bedrock.caller, batch)).id


async def ended(bedrock: BedrockWithFake, batch: NewBatch, status: str = "Completed") -> str:
    batch_id = await created(bedrock, batch)
    await bedrock.move(batch_id, status)
    return batch_id


async def items(bedrock: BedrockWithFake, batch_id: str) -> list[dict[str, Any]]:
    """The inline results; their memory is given back."""
    output = (await bedrock.batches.get(bedrock.caller, batch_id)).output
    assert isinstance(output, InlineResults)
    parsed = [orjson.loads(item) for item in output.items]
    await output.close()
    return parsed


async def download(bedrock: BedrockWithFake, file_id: str) -> bytes:
    opened = await bedrock.files.download(bedrock.caller, file_id)
    try:
        return b"".join([chunk async for chunk in opened.body.chunks])
    finally:
        await opened.close()


async def lines(bedrock: BedrockWithFake, batch_id: str) -> list[dict[str, Any]]:
    data = await download(bedrock, result_file_id(batch_id))
    return [orjson.loads(line) for line in data.splitlines()]


def text_of(result: Mapping[str, Any]) -> str:
    return str(result["response"]["candidates"][0]["content"]["parts"][0]["text"])


def converse_line(record_id: str, text: str = "hi") -> dict[str, Any]:
    """A record for Converse."""
    message = {"role": "user", "content": [{"text": text}]}
    return {"recordId": record_id, "modelInput": {"messages": [message]}}


def claude_line(record_id: str, text: str = "hi", **more: Any) -> dict[str, Any]:
    """A record in Claude's own schema."""
    asked = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": text}],
        **more,
    }
    return {"recordId": record_id, "modelInput": asked}


async def listed(bedrock: BedrockWithFake) -> list[str]:
    page = await bedrock.batches.list(bedrock.caller, 100, None)
    return [batch.id for batch in page.items]


# --- requests to Bedrock, and its output ----------------------------------------------------------


def native(bedrock: BedrockWithFake, batch_id: str) -> dict[str, Any]:
    """The job as Bedrock shows it. Each call advances the job."""
    return bedrock.other_tool.get(batch_id)


def input_lines(bedrock: BedrockWithFake, key: str) -> list[dict[str, Any]]:
    data = bedrock.other_tool.read(PREFIX + key)
    assert data.endswith(b"\n")
    return [orjson.loads(line) for line in data.splitlines()]


def folder_of(bedrock: BedrockWithFake, batch_id: str) -> str:
    """The folder of the job's own objects, below the prefix."""
    return f"genai-ferry/{native(bedrock, batch_id)['jobName'][-32:]}/"


def output_key(bedrock: BedrockWithFake, batch_id: str, name: str = "input.jsonl.out") -> str:
    """The key of the output as Bedrock wrote it."""
    return f"{PREFIX}{folder_of(bedrock, batch_id)}output/{batch_id}/{name}"


def rewrite(bedrock: BedrockWithFake, batch_id: str, *raw: object) -> None:
    """Replaces Bedrock's output by bytes or documents."""
    data = b"".join(line if isinstance(line, bytes) else orjson.dumps(line) + b"\n" for line in raw)
    bedrock.other_tool.put(output_key(bedrock, batch_id), data)


def answer(record_id: str, text: str) -> dict[str, Any]:
    """A line of Converse's output."""
    message = {"role": "assistant", "content": [{"text": text}]}
    output = {"output": {"message": message}, "stopReason": "end_turn"}
    return {"recordId": record_id, "modelInput": {}, "modelOutput": output}


async def jobs_created(bedrock: BedrockWithFake) -> int:
    """The number of requests to Bedrock that create one."""
    return len(await bedrock.requests("POST", JOB))


def uri(key: str = "") -> str:
    return f"s3://{FILES_BUCKET}/{PREFIX}{key}"
