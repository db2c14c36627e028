"""`x-ferry-expires-after`: a client sets when an uploaded file expires."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, MultipartWriter

from tests.end_to_end.batch_client import MODELS, BatchClient, gemini_line
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.sdk_process import PYTHON_NEWEST
from tests.end_to_end.upload_client import Answer, UploadClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

HEADER = "x-ferry-expires-after"
CHUNK = 8 << 20
SECONDS = 7200
MOST = {"openai": 2_592_000, "anthropic": 7_776_000}
KEEPS = pytest.mark.parametrize("fake", MOST, indirect=True)


def life_of(file: dict[str, Any]) -> float:
    times = (datetime.fromisoformat(file[name]) for name in ("createTime", "expirationTime"))
    created, expires = times
    return (expires - created).total_seconds()


async def raw(client: UploadClient, seconds: str, mime_type: str = "image/png") -> Answer:
    headers = {"X-Goog-Upload-Protocol": "raw", "Content-Type": mime_type, HEADER: seconds}
    return await client.create(b"\x89PNG", headers)


async def related(client: UploadClient, seconds: str) -> Answer:
    with MultipartWriter("related") as writer:
        writer.append_json({"file": {}})
        writer.append(b"\x89PNG", {"Content-Type": "image/png"})
    headers = {"X-Goog-Upload-Protocol": "multipart", HEADER: seconds}
    return await client.create(writer, {**writer.headers, **headers})


async def resumable(client: UploadClient, size: int | None) -> Answer:
    """The resumable protocol, in two chunks."""
    data = pattern_bytes(CHUNK + 100)
    url = await client.begin(size, headers={HEADER: str(SECONDS)})
    await client.send(url, 0, data[:CHUNK])
    return await client.send(url, CHUNK, data[CHUNK:], finalize=True)


@KEEPS
@pytest.mark.parametrize("how", ["raw", "multipart", "parts", "parts of unknown size"])
async def test_a_file_expires_when_the_client_asked(
    client: UploadClient, fake: FakeClient, http: ClientSession, how: str
) -> None:
    match how:
        case "raw":
            made = await raw(client, str(SECONDS))
        case "multipart":
            made = await related(client, str(SECONDS))
        case _:
            made = await resumable(client, None if "unknown" in how else CHUNK + 100)
    file = made.document["file"]
    assert life_of(file) == SECONDS
    got = await BatchClient(client.base_url, fake.kind, http).get(file["name"])
    assert got.ok["expirationTime"] == file["expirationTime"]


@KEEPS
async def test_the_range_is_the_providers(client: UploadClient, fake: FakeClient) -> None:
    most = MOST[fake.kind.name]
    for seconds in ("3600", str(most)):
        assert life_of((await raw(client, seconds)).document["file"]) == int(seconds)
    for seconds in ("3599", str(most + 1), "1h", "-3600", "7200.5", "", "9" * 5000, "\u0663600"):
        refused = await raw(client, seconds)
        assert refused.error == (400, "INVALID_ARGUMENT", "final")
        assert f"from 3600 to {most}" in refused.document["error"]["message"]
    assert (await client.start(9, headers={HEADER: "1"})).error[:2] == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("fake", ["gemini", "mistral", "bedrock"], indirect=True)
async def test_a_provider_without_expiry_says_so(client: UploadClient, fake: FakeClient) -> None:
    started = await client.start(9, headers={HEADER: str(SECONDS)})
    for refused in (started, await raw(client, str(SECONDS)), await related(client, str(SECONDS))):
        assert refused.error == (400, "INVALID_ARGUMENT", "final")
        assert f"{fake.kind.name} cannot expire files" in refused.document["error"]["message"]
    assert await fake.requests() == []


async def test_a_staged_batch_input_cannot_expire(
    anthropic: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    client = UploadClient(ferry.base_url, anthropic.kind, http)
    refused = await raw(client, str(SECONDS), "application/jsonl")
    assert refused.error == (400, "INVALID_ARGUMENT", "final")
    assert "FERRY_STATE_TTL" in refused.document["error"]["message"]


async def test_the_header_does_not_affect_other_calls(
    openai: FakeClient, ferry: Ferry, tmp_path: Path
) -> None:
    """SDKs send the headers of their client with every call."""
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(gemini_line("k", "hello")) + "\n")
    headers = {**openai.kind.headers, HEADER: str(SECONDS)}
    async with PYTHON_NEWEST.start(
        ferry.base_url, api_key=openai.kind.key, headers=headers
    ) as client:
        file = await client.call("files.upload", path=str(path), mime_type="application/jsonl")
        assert life_of(file) == SECONDS
        assert (await client.call("files.get", name=file["name"]))["name"] == file["name"]
        job = await client.call(
            "batches.create", model=MODELS["openai"], src=file["name"], config={}
        )
        assert (await client.call("batches.get", name=job["name"]))["name"] == job["name"]
        await client.call("files.delete", name=file["name"])
