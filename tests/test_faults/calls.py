"""Every call that a provider serves, on objects made for it, and how each of them ended."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from aiohttp import ClientError

from tests.end_to_end.batch_client import (
    Answer,
    BatchClient,
    Document,
    asking,
    from_file,
    gemini_line,
    inline,
)

BROKEN_OFF: Final = "broken off"
"""The connection was aborted: the client sees that the answer is not complete."""


@dataclass(frozen=True)
class Objects:
    """The names of what the calls work on.

    `running`, `ended` and `old` are batches, `results` are those of `ended`.
    """

    lines: str
    image: str
    spare_image: str
    running: str
    ended: str
    results: str
    old: str


async def prepare(client: BatchClient) -> Objects:
    lines = await client.upload_lines([gemini_line("a key", "a question")])
    ended = await _create(client, lines)
    return Objects(
        lines=lines,
        image=await _upload(client),
        spare_image=await _upload(client),
        running=await _create(client, lines),
        ended=ended,
        results=(await client.ended(ended))["metadata"]["output"]["responsesFile"],
        old=(await client.ended(await _create(client, lines)))["name"],
    )


async def _create(client: BatchClient, lines: str) -> str:
    return str((await _new_batch(client, from_file(lines))).ok["name"])


async def _new_batch(client: BatchClient, source: Document) -> Answer:
    """Its name makes it another batch than any before, also if the answer to that one was lost."""
    return await client.create(source, displayName=uuid4().hex)


async def _upload(client: BatchClient) -> str:
    return str((await upload_image(client)).ok["file"]["name"])


async def upload_image(client: BatchClient) -> Answer:
    sent = {"X-Goog-Upload-Protocol": "raw", "Content-Type": "image/png"}
    return await client.call("POST", "upload/v1beta/files", b"an image", sent)


async def start_upload(client: BatchClient) -> Answer:
    sent = {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Type": "image/png",
        "X-Goog-Upload-Header-Content-Length": str(20 << 20),
    }
    return await client.call("POST", "upload/v1beta/files", {}, sent)


Call = Callable[[BatchClient, Objects], Awaitable[Answer]]

READS: Final[dict[str, Call]] = {
    "list files": lambda client, _: client.call("GET", "v1beta/files"),
    "get file": lambda client, on: client.call("GET", f"v1beta/{on.image}"),
    "list batches": lambda client, _: client.call("GET", "v1beta/batches"),
    "get batch": lambda client, on: client.get(on.ended),
    "download": lambda client, on: client.call("GET", f"v1beta/{on.results}:download?alt=media"),
}
ENDS: Final[dict[str, Call]] = {
    "delete file": lambda client, on: client.call("DELETE", f"v1beta/{on.spare_image}"),
    "cancel batch": lambda client, on: client.cancel(on.running),
    "delete batch": lambda client, on: client.delete(on.old),
}
CREATIONS: Final[dict[str, Call]] = {
    "start upload": lambda client, _: start_upload(client),
    "upload": lambda client, _: upload_image(client),
    "create inline": lambda client, _: _new_batch(client, inline({"request": asking("inline")})),
    "create from file": lambda client, on: _new_batch(client, from_file(on.lines)),
}
CALLS: Final[dict[str, Call]] = {**READS, **ENDS, **CREATIONS}


async def outcome(answering: Awaitable[Answer]) -> str:
    """`200`, the status of an error in Google's envelope, a relayed status, or BROKEN_OFF."""
    try:
        answer = await answering
    except ClientError:
        return BROKEN_OFF
    if answer.code == 200:
        return "200"
    try:
        code, status = answer.error
    except (ValueError, KeyError, TypeError):
        return f"{answer.code} relayed"
    return f"{code} {status}"


async def outcomes(
    client: BatchClient, on: Objects, calls: Mapping[str, Call] = CALLS
) -> dict[str, str]:
    """How each call ended; all are made at once, so that their waits overlap."""
    ended = await asyncio.gather(*(outcome(call(client, on)) for call in calls.values()))
    return dict(zip(calls, ended, strict=True))
