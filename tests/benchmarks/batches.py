"""A large file made into a batch, and large results downloaded: both are translated."""

import tempfile
from collections.abc import Iterator
from typing import BinaryIO

import aiohttp
import orjson

from tests.benchmarks.stage import KEYS, Stage

MODEL = "gpt-4o-mini"
SHORT_REQUEST = 250


async def create_from_file(stage: Stage) -> int:
    """A batch of a file in Gemini's format; the bytes of that file."""
    scale = stage.scale
    batch = await _create(stage, await _put_input(stage, scale.input_size // scale.requests))
    # The upstream checks every line of what it was sent before it begins.
    metadata = (await stage.get(batch))["metadata"]
    if metadata["batchStats"]["requestCount"] != str(scale.requests):
        raise RuntimeError(f"the translation was refused: {metadata}")
    return scale.input_size


async def download_results(stage: Stage) -> int:
    """The results of a batch of short requests with long answers; the bytes that came."""
    scale = stage.scale
    await stage.settings(answer_bytes=scale.results_size // scale.requests)
    batch = await _create(stage, await _put_input(stage, SHORT_REQUEST))
    while not (operation := await stage.get(batch))["done"]:
        pass  # each get moves the fake's batch one state on
    size, lines = 0, 0
    url = stage.url(f"download/v1beta/{operation['response']['responsesFile']}:download?alt=media")
    async with stage.client.get(url, headers=stage.headers) as answer:
        async for chunk in answer.content.iter_any():
            size += len(chunk)
            lines += chunk.count(b"\n")
    if (answer.status, lines) != (200, scale.requests):
        raise RuntimeError(f"{lines} results came, with status {answer.status}")
    return size


async def _create(stage: Stage, native_id: str) -> str:
    """The path of the new batch."""
    batch = {"displayName": "benchmark", "inputConfig": {"fileName": f"files/{native_id}"}}
    path = f"v1beta/models/{MODEL}:batchGenerateContent"
    return f"v1beta/{(await stage.post(path, {'batch': batch}))['name']}"


async def _put_input(stage: Stage, line_size: int) -> str:
    """An input in Gemini's format, straight to the upstream; its native id there."""
    with tempfile.TemporaryFile() as file:
        file.writelines(_lines(stage.scale.requests, line_size))
        file.seek(0)
        await stage.settings(read_rate=None)
        native_id = await _post_file(stage, file)
        await stage.settings(read_rate=stage.scale.read_rate)
    return native_id


async def _post_file(stage: Stage, file: BinaryIO) -> str:
    form = aiohttp.FormData()
    form.add_field("purpose", "batch")
    form.add_field("file", file, filename="input.jsonl", content_type="application/jsonl")
    headers = {"Authorization": f"Bearer {KEYS[stage.kind]}"}
    url = f"{stage.upstream.url}/files"
    async with stage.client.post(url, data=form, headers=headers) as answer:
        document = await answer.json()
    if answer.status != 200:
        raise RuntimeError(f"the upstream refused the input: {document}")
    return str(document["id"])


def _lines(count: int, line_size: int) -> Iterator[bytes]:
    for number in range(count):
        line = _line(number, "")
        text = "Words, words. " * (line_size // 14)
        yield _line(number, text[: line_size - len(line)])


def _line(number: int, text: str) -> bytes:
    request = {
        "systemInstruction": {"parts": [{"text": "Answer briefly."}]},
        "contents": [{"role": "user", "parts": [{"text": f"{number}: {text}"}]}],
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 256},
    }
    document = {"key": f"request-{number:06d}", "request": request}
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
