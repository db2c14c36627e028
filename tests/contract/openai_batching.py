"""Batches at OpenAI that have ended, and their results."""

from collections.abc import Mapping
from typing import Any

import orjson

from providers.resource_names import result_file_id
from providers.resources import InlineResults, NewBatch
from tests.contract.openai_with_fake import CALLER, MODEL, OpenAIWithFake
from tests.contract.provider_with_fake import json_lines

TEXTS = [f"question {number}" for number in range(6)]
CHAT = "/v1/chat/completions"


async def ended(openai: OpenAIWithFake, batch: NewBatch, status: str = "completed") -> str:
    created = await openai.batches.create(CALLER, batch)
    await openai.move(created.id, status)
    return created.id


async def items(openai: OpenAIWithFake, batch_id: str) -> list[dict[str, Any]]:
    """The inline results; their memory is given back."""
    output = (await openai.batches.get(CALLER, batch_id)).output
    assert isinstance(output, InlineResults)
    parsed = [orjson.loads(item) for item in output.items]
    await output.close()
    return parsed


async def download(openai: OpenAIWithFake, file_id: str) -> bytes:
    opened = await openai.files.download(CALLER, file_id)
    try:
        return b"".join([chunk async for chunk in opened.body.chunks])
    finally:
        await opened.close()


async def lines(openai: OpenAIWithFake, batch_id: str) -> list[dict[str, Any]]:
    data = await download(openai, result_file_id(batch_id))
    return [orjson.loads(line) for line in data.splitlines()]


def text_of(result: Mapping[str, Any]) -> str:
    return str(result["response"]["candidates"][0]["content"]["parts"][0]["text"])


def native_line(custom_id: str, text: str = "hi") -> dict[str, Any]:
    body = {"model": MODEL, "messages": [{"role": "user", "content": text}]}
    return {"custom_id": custom_id, "method": "POST", "url": CHAT, "body": body}


async def answered_with(openai: OpenAIWithFake, *raw: object) -> None:
    """Replaces the content of OpenAI's output file."""
    body = b"".join(line if isinstance(line, bytes) else json_lines(line) for line in raw)
    await openai.strike(
        "GET", "files/[^/]+/content", "status", status=200, body=body.decode(), times=9
    )


async def listed(openai: OpenAIWithFake) -> list[str]:
    return [batch.id for batch in (await openai.batches.list(CALLER, 100, None)).items]
