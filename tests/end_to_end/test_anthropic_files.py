"""Files for Anthropic: the proxy keeps a batch's input, and any other file goes to Anthropic."""

import asyncio
import base64
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import (
    BatchClient,
    Document,
    asking,
    by_key,
    from_file,
    gemini_line,
    inline,
    text_of,
)
from tests.end_to_end.conftest import MIB, Ferry
from tests.end_to_end.fake_client import ANTHROPIC, FakeClient
from tests.end_to_end.upload_client import UploadClient
from tests.processes import proxy, start_proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

CHUNK = 8 * MIB
OTHER = ANTHROPIC.other_key
ABSENT = (404, "NOT_FOUND")


@pytest.fixture
def client(anthropic: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, anthropic.kind, http)


async def file_of(client: BatchClient, name: str) -> Document:
    return (await client.call("GET", f"v1beta/{name}")).ok


async def upload_pdf(client: BatchClient, content: bytes = b"%PDF-1.4") -> Document:
    headers = {
        "X-Goog-Upload-Protocol": "raw",
        "X-Goog-Upload-File-Name": "a.pdf",
        "Content-Type": "application/pdf",
    }
    file: Document = (await client.call("POST", "upload/v1beta/files", content, headers)).ok["file"]
    return file


def lines_of(size: int) -> bytes:
    """A batch's input of at least `size` bytes."""
    line = json.dumps(gemini_line("#", "some words " * 200)) + "\n"
    count = size // len(line) + 1
    return "".join(line.replace('"#"', f'"key {n}"', 1) for n in range(count)).encode()


# --- what the proxy keeps ------------------------------------------------------------------------


async def test_an_input_in_one_request(client: BatchClient, anthropic: FakeClient) -> None:
    content = lines_of(100)

    file = await file_of(client, await client.upload(content))

    assert base64.b64decode(file["sha256Hash"]) == hashlib.sha256(content).digest()
    assert (file["displayName"], file["sizeBytes"]) == ("lines.jsonl", str(len(content)))
    times = (datetime.fromisoformat(file[name]) for name in ("createTime", "expirationTime"))
    created, expires = times
    assert expires - created == timedelta(days=30), "FERRY_STATE_TTL"
    downloaded = await client.call("GET", f"v1beta/{file['name']}:download?alt=media")
    assert (downloaded.content, downloaded.headers["Content-Type"]) == (
        content,
        "application/jsonl",
    )
    assert await anthropic.requests(method="POST") == [], "Anthropic hears nothing of it"


async def test_an_input_in_chunks_through_replicas_one_of_which_is_killed(
    anthropic: FakeClient,
    http: ClientSession,
    ferry: Ferry,
    a_store: Mapping[str, str],
    tmp_path: Path,
) -> None:
    content = lines_of(2 * CHUNK)
    killed = await start_proxy(tmp_path, ferry.upstreams, a_store)
    try:
        there = UploadClient(f"{killed.url}/genai", ANTHROPIC, http)
        url = await there.begin(
            len(content), mime_type="application/jsonl", display_name="in chunks"
        )
        answer = await there.send(url, 0, content[:CHUNK])
        assert answer.upload_status == "active"
    finally:
        await killed.kill()
    async with proxy(tmp_path, ferry.upstreams, a_store) as other:
        here = url.replace(killed.url, other.url)
        speaking = UploadClient(f"{other.url}/genai", ANTHROPIC, http)
        await speaking.send(here, CHUNK, content[CHUNK : 2 * CHUNK])
        file = (await speaking.send(here, 2 * CHUNK, content[2 * CHUNK :], finalize=True)).file

        again = await speaking.send(here, 2 * CHUNK, content[2 * CHUNK :], finalize=True)
        assert again.file == file
        assert "sha256Hash" not in file, "no request had the whole file"
        client = BatchClient(f"{other.url}/genai", ANTHROPIC, http)
        got = await client.call("GET", f"v1beta/{file['name']}:download?alt=media")
        assert hashlib.sha256(got.content).digest() == hashlib.sha256(content).digest()
        assert await anthropic.requests(method="POST") == []
        job = (await client.create(from_file(file["name"]))).ok["name"]
        assert len(by_key(await client.results(await client.ended(job)))) == content.count(b"\n")


async def test_a_cancelled_upload_leaves_nothing(
    client: BatchClient, ferry: Ferry, http: ClientSession
) -> None:
    before = size_of(ferry.state)
    speaking = UploadClient(ferry.base_url, ANTHROPIC, http)
    url = await speaking.begin(2 * CHUNK, mime_type="application/jsonl")
    await speaking.send(url, 0, b" " * CHUNK)
    assert size_of(ferry.state) - before >= CHUNK

    assert (await speaking.command(url, "cancel")).upload_status == "cancelled"

    assert size_of(ferry.state) - before < MIB
    assert (await client.call("GET", "v1beta/files")).ok == {}


async def test_a_file_for_anthropic_leaves_no_bytes_and_no_credential(
    client: BatchClient, anthropic: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    before = size_of(ferry.state)
    content = b"p" * (CHUNK + 5)
    speaking = UploadClient(ferry.base_url, ANTHROPIC, http)
    url = await speaking.begin(None)
    await speaking.send(url, 0, content[:CHUNK])
    assert size_of(ferry.state) - before >= CHUNK
    assert await anthropic.requests(method="POST") == [], "the length must come first"

    file = (await speaking.send(url, CHUNK, content[CHUNK:], finalize=True)).file

    await anthropic.check_only_file(file, content)
    (sent,) = await anthropic.requests(method="POST")
    assert (sent["path"], sent["chunked"]) == ("/v1/files", False)
    assert size_of(ferry.state) - before < MIB
    secret = ANTHROPIC.key.encode()
    assert not any(secret in path.read_bytes() for path in files_below(ferry.state))


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in files_below(folder))


# --- owners --------------------------------------------------------------------------------------


async def test_staged_files_belong_to_one_tenant(client: BatchClient) -> None:
    name = await client.upload_lines([gemini_line("a", "secret")])
    body = {"batch": {"inputConfig": from_file(name)}}

    for method, path, sent in (
        ("GET", f"v1beta/{name}", None),
        ("DELETE", f"v1beta/{name}", None),
        ("GET", f"v1beta/{name}:download?alt=media", None),
        ("POST", f"v1beta/models/{client.model}:batchGenerateContent", body),
    ):
        assert (await client.call(method, path, sent, key=OTHER)).error == ABSENT, path
    assert (await client.call("GET", "v1beta/files", key=OTHER)).ok == {}
    assert (await file_of(client, name))["name"] == name


async def test_workspaces_of_one_token_are_isolated(
    client: BatchClient, anthropic: FakeClient
) -> None:
    """An OAuth token reaches several workspaces, and a header names one of them."""
    token = "sk-ant-oat-of-the-end-to-end-tests"
    first, second = ({"anthropic-workspace-id": name} for name in ("one", "two"))
    headers = {
        "X-Goog-Upload-Protocol": "raw",
        "X-Goog-Upload-File-Name": "a.jsonl",
        "Content-Type": "application/jsonl",
    }
    content = json.dumps(gemini_line("a", "b")).encode()
    made = await client.call("POST", "upload/v1beta/files", content, first | headers, key=token)
    name = made.ok["file"]["name"]

    listed = await client.call("GET", "v1beta/files", headers=first, key=token)
    assert [file["name"] for file in listed.ok["files"]] == [name]
    assert (await client.call("GET", "v1beta/files", headers=second, key=token)).ok == {}
    (asked, _) = await anthropic.requests(method="GET", path="^/v1/files$")
    assert asked["headers"]["anthropic-workspace-id"] == "one"
    assert "oauth-2025-04-20" in asked["headers"]["anthropic-beta"]
    assert asked["credential_sha256"] == hashlib.sha256(token.encode()).hexdigest()


async def test_headers_that_anthropic_has(client: BatchClient, anthropic: FakeClient) -> None:
    headers = {"anthropic-beta": "skills-2025-10-02", "x-unknown": "x", "OpenAI-Project": "p"}

    await client.call("GET", "v1beta/batches", headers=headers)

    (asked,) = await anthropic.requests()
    headers = {name.lower(): value for name, value in asked["headers"].items()}
    assert "skills-2025-10-02" in headers["anthropic-beta"]
    assert headers["anthropic-version"] == "2023-06-01"
    assert not {"x-unknown", "openai-project", "x-model-provider"} & headers.keys()


# --- one list ------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [False, True], ids=["today's list", "the beta's list"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 50])
async def test_both_kinds_of_files_are_one_list(
    client: BatchClient, anthropic: FakeClient, size: int, beta: bool
) -> None:
    await anthropic.settings(beta_file_list=beta)
    staged = [await client.upload_lines([gemini_line("a", "b")]) for _ in range(3)]
    native = [(await upload_pdf(client))["name"] for _ in range(3)]

    pages = await every_page(client, size)

    assert [name for page in pages for name in page] == staged[::-1] + native[::-1]
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert pages[-1], "no page is empty"


async def every_page(client: BatchClient, size: int) -> Sequence[list[str]]:
    pages, token = [], ""
    while True:
        path = f"v1beta/files?pageSize={size}&pageToken={token}"
        page = (await client.call("GET", path)).ok
        pages.append([file["name"] for file in page["files"]])
        token = page.get("nextPageToken", "")
        if not token:
            return pages


# --- at Anthropic --------------------------------------------------------------------------------


async def test_a_file_at_anthropic_cannot_be_downloaded(client: BatchClient) -> None:
    file = await upload_pdf(client)

    refused = await client.call("GET", f"v1beta/{file['name']}:download?alt=media")

    assert (refused.code, "not downloadable" in refused.message) == (400, True)
    assert "downloadUri" not in file


async def test_a_file_that_a_tool_created_at_anthropic_can_be_downloaded(
    client: BatchClient, anthropic: FakeClient
) -> None:
    file = await upload_pdf(client, b"%PDF-made")
    await anthropic.steer_file(anthropic.native_id(file["name"]), downloadable=True)

    downloaded = await client.call("GET", f"v1beta/{file['name']}:download?alt=media")

    assert downloaded.content == b"%PDF-made"


async def test_an_expired_file_does_not_exist(client: BatchClient, anthropic: FakeClient) -> None:
    file = await upload_pdf(client)
    await anthropic.steer_file(anthropic.native_id(file["name"]), status="expired")

    assert (await client.call("GET", f"v1beta/{file['name']}")).error == ABSENT


async def test_a_file_at_anthropic_cannot_be_the_input_of_a_batch(
    client: BatchClient, anthropic: FakeClient
) -> None:
    file = await upload_pdf(client)

    refused = await client.create(from_file(file["name"]))

    assert refused.error == (400, "INVALID_ARGUMENT")
    assert ".jsonl" in refused.message
    assert (await anthropic.objects())["batches"] == []


# --- expiry of what is kept ----------------------------------------------------------------------


async def test_two_replicas_sweep_what_has_expired(
    anthropic: FakeClient, http: ClientSession, ferry: Ferry, tmp_path: Path
) -> None:
    upstreams = {"anthropic": ferry.upstreams["anthropic"]}
    async with proxy(tmp_path, upstreams) as first:
        client = BatchClient(f"{first.url}/genai", ANTHROPIC, http)
        name = await client.upload_lines([gemini_line("a", "b")])
        request = {"request": asking("kept"), "metadata": {"n": "1"}}
        job = (await client.create(inline(request), displayName="kept")).ok["name"]
        age(tmp_path / "staged", tmp_path / "staged-content")
    async with AsyncExitStack() as stack:
        two = [await stack.enter_async_context(proxy(tmp_path, upstreams)) for _ in range(2)]
        async with asyncio.timeout(10):
            while files_below(tmp_path / "staged-content"):
                await asyncio.gather(*(_look(one.url, http) for one in two))
        client = BatchClient(f"{two[0].url}/genai", ANTHROPIC, http)
        assert (await client.call("GET", f"v1beta/{name}")).error == ABSENT
        batch = await client.ended(job)
        assert batch["metadata"]["displayName"] == "kept", "newer files stay"
        (result,) = await client.results(batch)
        assert (text_of(result), result["metadata"]) == ("echo: kept", {"n": "1"})
        assert not any("failed" in line for one in two for line in one.lines)


async def _look(url: str, http: ClientSession) -> Any:
    async with http.get(f"{url}/healthz") as reply:
        return reply.status


def age(*folders: Path) -> None:
    """Set the age of everything in them to 32 days."""
    then = time.time() - 32 * 24 * 3600
    for path in (path for folder in folders for path in files_below(folder)):
        os.utime(path, (then, then))
