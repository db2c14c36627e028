"""A batch from a large file, and a download of large results, both translated."""

import tempfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any, BinaryIO

import aiohttp
import orjson

from tests.benchmarks.stage import KEYS, Stage
from tests.benchmarks.uploads import CHUNK, send_chunk, start_upload

MODELS = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-haiku-4-5",
    "gemini": "gemini-2.5-flash",
    "mistral": "mistral-small-latest",
    "bedrock": "anthropic.claude-haiku-4-5-20251001-v1:0",
}
SHORT_REQUEST = 250


async def create_from_file(stage: Stage) -> int:
    """Create a batch from a file in Gemini's format; returns the file's size."""
    scale = stage.scale
    lines = input_lines(scale.requests, scale.input_size // scale.requests)
    native_id = await put_input(stage, lines)
    await _check_count(stage, await create(stage, f"files/{native_id}"), scale.requests)
    return scale.input_size


async def create_from_staged_file(stage: Stage) -> int:
    """The same for a file that the proxy keeps, including its upload."""
    scale = stage.scale
    with tempfile.TemporaryFile() as file:
        count = scale.staged_requests
        file.writelines(input_lines(count, scale.input_size // count))
        name = await upload(stage, file)
    await _check_count(stage, await create(stage, name), count)
    return scale.input_size


async def _check_count(stage: Stage, batch: str, count: int) -> None:
    """The upstream checks every line of the input before it begins."""
    metadata = (await stage.get(batch))["metadata"]
    if metadata["batchStats"]["requestCount"] != str(count):
        raise RuntimeError(f"the translation was refused: {metadata}")


async def download_results(stage: Stage, form: str = "gemini") -> int:
    """Download results of short requests with long answers; returns their size."""
    scale = stage.scale
    await stage.settings(answer_bytes=scale.results_size // scale.requests)
    native_id = await put_input(stage, input_lines(scale.requests, SHORT_REQUEST))
    batch = await create(stage, f"files/{native_id}")
    while not (operation := await stage.get(batch))["done"]:
        pass  # each get advances the fake's batch by one state
    size, lines = 0, 0
    url = stage.url(f"download/v1beta/{operation['response']['responsesFile']}:download?alt=media")
    headers = {**stage.headers, "x-ferry-results": form}
    async with stage.client.get(url, headers=headers) as answer:
        async for chunk in answer.content.iter_any():
            size += len(chunk)
            lines += chunk.count(b"\n")
    if (answer.status, lines) != (200, scale.requests):
        raise RuntimeError(f"{lines} results came, with status {answer.status}")
    return size


async def create(stage: Stage, file_name: str) -> str:
    """Returns the path of the new batch."""
    batch = {"displayName": "benchmark", "inputConfig": {"fileName": file_name}}
    path = f"v1beta/models/{MODELS[stage.kind]}:batchGenerateContent"
    return f"v1beta/{(await stage.post(path, {'batch': batch}))['name']}"


async def upload(stage: Stage, file: BinaryIO) -> str:
    """Upload the file to the proxy chunk by chunk; returns its name."""
    size = file.tell()
    file.seek(0)
    url = await start_upload(stage, "input.jsonl", "application/jsonl", size)
    answer: Any = None
    for offset in range(0, size, CHUNK):
        length = min(CHUNK, size - offset)
        data = BytesIO(file.read(length))
        answer = await send_chunk(stage, url, offset, length, data, offset + length == size)
    return str(answer["file"]["name"])


async def put_input(stage: Stage, lines: Iterable[bytes]) -> str:
    """Send an input directly to the upstream; returns its native id."""
    with tempfile.TemporaryFile() as file:
        file.writelines(lines)
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


def input_lines(count: int, line_size: int) -> Iterator[bytes]:
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
