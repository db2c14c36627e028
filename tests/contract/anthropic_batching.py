"""Batches at Anthropic that have ended, and their results."""

from collections.abc import Mapping
from typing import Any

import orjson

from providers.resource_names import result_file_id
from providers.resources import InlineResults, NewBatch
from tests.contract.anthropic_with_fake import CALLER, MODEL, AnthropicWithFake
from tests.contract.provider_with_fake import json_lines

TEXTS = [f"question {number}" for number in range(6)]
BATCHES = "messages/batches"
RESULTS = "messages/batches/[^/]+/results"


async def ended(anthropic: AnthropicWithFake, batch: NewBatch) -> str:
    created = await anthropic.batches.create(CALLER, batch)
    await anthropic.move(created.id, "ended")
    return created.id


async def items(anthropic: AnthropicWithFake, batch_id: str) -> list[dict[str, Any]]:
    """The inline results; their memory is given back."""
    output = (await anthropic.batches.get(CALLER, batch_id)).output
    assert isinstance(output, InlineResults)
    parsed = [orjson.loads(item) for item in output.items]
    await output.close()
    return parsed


async def download(anthropic: AnthropicWithFake, file_id: str) -> bytes:
    opened = await anthropic.files.download(CALLER, file_id)
    try:
        return b"".join([chunk async for chunk in opened.body.chunks])
    finally:
        await opened.close()


async def lines(anthropic: AnthropicWithFake, batch_id: str) -> list[dict[str, Any]]:
    data = await download(anthropic, result_file_id(batch_id))
    return [orjson.loads(line) for line in data.splitlines()]


def text_of(result: Mapping[str, Any]) -> str:
    return str(result["response"]["candidates"][0]["content"]["parts"][0]["text"])


def native_line(custom_id: str, text: str = "hi", **params: Any) -> dict[str, Any]:
    """A request in Anthropic's format."""
    message = {"role": "user", "content": text}
    asked = {"model": MODEL, "max_tokens": 100, "messages": [message], **params}
    return {"custom_id": custom_id, "params": asked}


async def answered_with(anthropic: AnthropicWithFake, *raw: object) -> None:
    """Replaces Anthropic's results."""
    body = b"".join(line if isinstance(line, bytes) else json_lines(line) for line in raw)
    await anthropic.strike("GET", RESULTS, "status", status=200, body=body.decode(), times=9)


async def custom_ids(anthropic: AnthropicWithFake, batch_id: str) -> list[str]:
    """The custom ids of an ended batch, in order."""
    data = await anthropic.native(f"{BATCHES}/{batch_id}/results")
    return sorted(orjson.loads(line)["custom_id"] for line in data.splitlines())


async def listed(anthropic: AnthropicWithFake) -> list[str]:
    return [batch.id for batch in (await anthropic.batches.list(CALLER, 100, None)).items]
