"""Many uploads at once, chunk by chunk as the SDKs send them (sdk-wire.md section 2)."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

from tests.benchmarks.scale import MIB
from tests.benchmarks.stage import Stage
from tests.end_to_end.pattern import pattern_bytes

CHUNK = 8 * MIB
PIECE = 256 * 1024


async def upload_all(stage: Stage) -> int:
    """Upload files that all differ; returns their total size."""
    scale = stage.scale
    await asyncio.gather(*(_upload(stage, number) for number in range(scale.uploads)))
    sent = await asyncio.to_thread(_digests, scale.uploads, scale.upload_size)
    if await stage.stored() != sent:
        raise RuntimeError("the files at the upstream differ from those that were sent")
    return scale.uploads * scale.upload_size


async def _upload(stage: Stage, number: int) -> None:
    size = stage.scale.upload_size
    url = await start_upload(stage, f"upload {number}", "application/octet-stream", size)
    for offset in range(0, size, CHUNK):
        length = min(CHUNK, size - offset)
        final = offset + length == size
        await send_chunk(stage, url, offset, length, _pieces(number + offset, length), final)


async def start_upload(stage: Stage, name: str, mime_type: str, size: int) -> str:
    """Returns the URL of a new resumable upload."""
    headers = stage.headers | {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": str(size),
        "X-Goog-Upload-Header-Content-Type": mime_type,
    }
    document = {"file": {"displayName": name, "mimeType": mime_type}}
    url = stage.url("upload/v1beta/files")
    async with stage.client.post(url, headers=headers, json=document) as answer:
        if answer.status != 200:
            raise RuntimeError(f"the start was refused: {await answer.text()}")
        return answer.headers["X-Goog-Upload-URL"]


async def send_chunk(
    stage: Stage,
    url: str,
    offset: int,
    length: int,
    data: AsyncIterator[bytes] | BytesIO,
    final: bool,
) -> Any:
    """Returns the answer to a chunk that was accepted."""
    headers = {
        "X-Goog-Upload-Command": "upload, finalize" if final else "upload",
        "X-Goog-Upload-Offset": str(offset),
        "Content-Length": str(length),
        "Content-Type": "application/octet-stream",
    }
    async with stage.client.post(url, headers=headers, data=data) as answer:
        text = await answer.text()
        status = answer.headers.get("X-Goog-Upload-Status")
    if status != ("final" if final else "active"):
        raise RuntimeError(f"the chunk at {offset} was answered {status}: {text}")
    return json.loads(text or "{}")


async def _pieces(start: int, size: int) -> AsyncIterator[bytes]:
    for offset in range(0, size, PIECE):
        yield pattern_bytes(min(PIECE, size - offset), start + offset)


def _digests(count: int, size: int) -> list[str]:
    """The sha256 of each file, which is the pattern from the file's number on."""
    return sorted(_digest(number, size) for number in range(count))


def _digest(number: int, size: int) -> str:
    hashed = hashlib.sha256()
    for offset in range(0, size, PIECE):
        hashed.update(pattern_bytes(min(PIECE, size - offset), number + offset))
    return hashed.hexdigest()
