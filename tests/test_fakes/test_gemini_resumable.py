"""The resumable protocol's table of commands, with its refusals (gemini.md section 3.2)."""

import asyncio
import hashlib
from typing import Any

import pytest
from aiohttp import ClientError, ClientResponse

from .conftest import Client

BLOCK = 256 * 1024
GRAIN = 2 * BLOCK
DATA = bytes(range(256)) * (3 * BLOCK // 256) + b"tail"


async def start(client: Client, size: int | None = len(DATA), **spec: Any) -> str:
    await client.post("/_fake/settings", json={"granularity": GRAIN})
    headers = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
    if size is not None:
        headers["X-Goog-Upload-Header-Content-Length"] = str(size)
    response = await client.post("/upload/v1beta/files", headers=headers, json={"file": spec})
    assert response.status == 200, await response.text()
    assert response.headers["X-Goog-Upload-Status"] == "active"
    assert response.headers["X-Goog-Upload-Chunk-Granularity"] == str(GRAIN)
    return response.headers["X-Goog-Upload-URL"].split(str(client.make_url("")).rstrip("/"))[1]


async def send(
    client: Client, url: str, command: str, offset: int | str | None = None, body: bytes = b""
) -> ClientResponse:
    headers = {"X-Goog-Upload-Command": command, "x-goog-api-key": ""}
    if offset is not None:
        headers["X-Goog-Upload-Offset"] = str(offset)
    return await client.post(url, headers=headers, data=body)


def told(response: ClientResponse) -> tuple[int, str | None]:
    return response.status, response.headers.get("X-Goog-Upload-Status")


async def received(client: Client, url: str) -> int:
    return int((await send(client, url, "query")).headers["X-Goog-Upload-Size-Received"])


async def test_chunks_then_finalize_alone(gemini: Client) -> None:
    url = await start(gemini, None, display_name="dn", mime_type="text/x")
    assert told(await send(gemini, url, "upload", 0, DATA[:GRAIN])) == (200, "active")
    assert await received(gemini, url) == GRAIN
    response = await send(gemini, url, "UPLOAD , Finalize", GRAIN, DATA[GRAIN:])
    assert told(response) == (200, "final")
    file = (await response.json())["file"]
    assert (file["displayName"], file["mimeType"]) == ("dn", "text/x")
    assert file["sizeBytes"] == str(len(DATA))
    again = await send(gemini, url, "query")
    assert told(again) == (200, "final")
    assert (await again.json())["file"] == file
    seen = await gemini.get(f"/_fake/{file['name']}/sha256")
    assert (await seen.json())["sha256"] == hashlib.sha256(DATA).hexdigest()


async def test_finalize_alone_and_an_empty_file(gemini: Client) -> None:
    url = await start(gemini, 0)
    assert told(await send(gemini, url, "finalize")) == (200, "final")


@pytest.mark.parametrize(
    ("command", "offset", "body", "expected"),
    [
        ("upload", GRAIN, DATA[:GRAIN], (409, "active")),
        ("upload", "x", DATA[:GRAIN], (400, "active")),
        ("upload", None, DATA[:GRAIN], (400, "active")),
        ("upload", 0, DATA[: GRAIN - 1], (400, "active")),
        ("upload", 0, b"", (400, "active")),
        ("upload, finalize", 0, DATA + b"more", (400, "final")),
        ("upload, finalize", 0, DATA[:-1], (400, "final")),
        ("finalize", None, b"", (400, "final")),
        ("finalize", None, b"body", (400, "active")),
        ("start", None, b"", (400, "active")),
        ("upload, query", 0, b"", (400, "active")),
        ("cancel", None, b"", (200, "cancelled")),
    ],
)
async def test_commands_on_a_fresh_session(
    gemini: Client,
    command: str,
    offset: int | str | None,
    body: bytes,
    expected: tuple[int, str | None],
) -> None:
    url = await start(gemini)
    assert told(await send(gemini, url, command, offset, body)) == expected


@pytest.mark.parametrize(
    ("ending", "command", "expected"),
    [
        ("upload, finalize", "upload, finalize", (400, "final")),
        ("upload, finalize", "finalize", (400, "final")),
        ("upload, finalize", "cancel", (400, "final")),
        ("cancel", "upload, finalize", (400, "cancelled")),
        ("cancel", "finalize", (400, "cancelled")),
        ("cancel", "cancel", (400, "cancelled")),
        ("cancel", "query", (410, "cancelled")),
        ("finalize", "query", (400, "final")),
    ],
)
async def test_commands_on_an_ended_session(
    gemini: Client, ending: str, command: str, expected: tuple[int, str]
) -> None:
    url = await start(gemini)
    await send(gemini, url, ending, 0, DATA if "upload" in ending else b"")
    body = DATA if "upload" in command else b""
    assert told(await send(gemini, url, command, 0, body)) == expected


async def test_an_unknown_session_has_no_status(gemini: Client) -> None:
    url = "/upload/v1beta/files?upload_id=none&upload_protocol=resumable"
    assert told(await send(gemini, url, "query")) == (404, None)


async def test_a_chunk_without_length_is_refused(gemini: Client) -> None:
    url = await start(gemini)

    async def chunked() -> Any:
        yield DATA

    headers = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
    assert (await gemini.post(url, headers=headers, data=chunked())).status == 411


async def test_whole_blocks_of_a_broken_chunk_stay(gemini: Client) -> None:
    url = await start(gemini)
    fault = {
        "match": {"headers": {"x-goog-upload-command": "upload"}},
        "fault": {"kind": "reset", "after_bytes": BLOCK + 5},
    }
    await gemini.post("/_fake/faults", json=fault)
    with pytest.raises(ClientError):
        await send(gemini, url, "upload", 0, DATA[:GRAIN])
    assert await received(gemini, url) == BLOCK
    rest = await send(gemini, url, "upload, finalize", BLOCK, DATA[BLOCK:])
    assert told(rest) == (200, "final")


async def test_a_client_that_disconnects_is_like_a_broken_chunk(gemini: Client) -> None:
    url = await start(gemini)
    _, writer = await asyncio.open_connection(gemini.host, gemini.port)
    head = (
        f"POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: {GRAIN}\r\n"
        "X-Goog-Upload-Command: upload\r\nX-Goog-Upload-Offset: 0\r\n\r\n"
    )
    writer.write(head.encode() + DATA[: BLOCK + 9])
    wait = f"/_fake/events?path=upload&timeout=20&count={BLOCK + 9}&wait="
    assert (await gemini.get(wait + "bytes")).status == 200
    writer.close()
    await writer.wait_closed()
    wait = "/_fake/events?path=upload&timeout=20&count=2&wait="
    assert (await gemini.get(wait + "requests")).status == 200
    assert await received(gemini, url) == BLOCK
