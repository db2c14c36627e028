"""`x-ferry-results: native`: a batch's results as the provider wrote them, with every SDK."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession

from tests.end_to_end.batch_client import (
    MODELS,
    NATIVE_LINES,
    Answer,
    BatchClient,
    asking,
    from_file,
    gemini_line,
    inline,
)
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import OPENAI, FakeClient
from tests.end_to_end.sdk_process import (
    GO,
    JAVA,
    JAVASCRIPT,
    PYTHON_2X,
    PYTHON_NEWEST_ASYNC,
    Sdk,
)
from tests.end_to_end.test_batches_with_sdks import ended

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

RESULTS = "x-ferry-results"
NATIVE = {RESULTS: "native"}
LINES = [gemini_line("a", "hello"), gemini_line("b", "please fail")]
IDS = {
    "openai": "custom_id",
    "anthropic": "custom_id",
    "mistral": "custom_id",
    "bedrock": "recordId",
}
CONTENT = {"method": "GET", "path": "/content$|/results$|[.]jsonl[.]out$"}


def results_of(batch: str) -> str:
    """Creates a batch as in the README; returns the name of its results file."""
    native = batch.removeprefix("batches/").encode()
    return f"files/r{base64.b32encode(native).decode().rstrip('=').lower()}"


async def download(
    client: BatchClient, batch: str, headers: Mapping[str, str] = NATIVE, method: str = "GET"
) -> Answer:
    path = f"download/v1beta/{results_of(batch)}:download?alt=media"
    return await client.call(method, path, headers=headers)


async def openais_own(openai: FakeClient, http: ClientSession, batch: str) -> bytes:
    """OpenAI's own files of the batch: its output, then its errors."""
    key = {"Authorization": f"Bearer {OPENAI.key}"}
    async with http.get(f"{openai.base_url}/{batch}", headers=key) as got:
        shown = await got.json()
    content = b""
    for field in ("output_file_id", "error_file_id"):
        url = f"{openai.base_url}/files/{shown[field]}/content"
        async with http.get(url, headers=key) as got:
            assert got.status == 200
            content += await got.read()
    return content


@pytest.mark.parametrize("sdk", [PYTHON_NEWEST_ASYNC, PYTHON_2X, JAVASCRIPT, GO, JAVA], ids=str)
async def test_a_client_that_requests_native_results_with_every_call(
    sdk: Sdk, openai: FakeClient, ferry: Ferry, http: ClientSession, tmp_path: Path
) -> None:
    """SDKs send a client's headers with every call; only a download of results reads this one."""
    path, got, input_back = (tmp_path / name for name in ("in.jsonl", "results", "input"))
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    headers = {**OPENAI.headers, **NATIVE}
    async with sdk.start(ferry.base_url, api_key=OPENAI.key, headers=headers) as process:
        source = await process.call(
            "files.upload", path=str(path), mime_type="application/jsonl", display_name="in.jsonl"
        )
        job = await process.call("batches.create", model=MODELS["openai"], src=source["name"])
        job = await ended(process, job["name"])
        file = await process.call("files.get", name=job["dest"]["fileName"])
        await process.call("files.download", file=file, path=str(got))
        await process.call("files.download", file=source, path=str(input_back))

    assert got.read_bytes() == await openais_own(openai, http, job["name"])
    assert input_back.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("source", ["file", "native file", "inline"])
async def test_each_providers_own_lines(
    translated: FakeClient, ferry: Ferry, http: ClientSession, source: str
) -> None:
    client = BatchClient(ferry.base_url, translated.kind, http)
    native_line = NATIVE_LINES[translated.kind.name]
    match source:
        case "file":
            batch = from_file(await client.upload_lines(LINES))
        case "native file":
            lines = [native_line("mine-1", "hello"), native_line("mine-2", "please fail")]
            batch = from_file(await client.upload_lines(lines))
        case _:
            batch = inline(*({"request": asking(text)} for text in ("hello", "please fail")))
    name = (await client.create(batch)).ok["name"]
    await client.ended(name)

    got, head = await download(client, name), await download(client, name, method="HEAD")

    assert (got.code, got.headers["Content-Type"]) == (200, "application/jsonl")
    assert (head.code, head.content) == (200, b"")
    found = [json.loads(line) for line in got.content.splitlines()]
    ids = sorted(line[IDS[translated.kind.name]] for line in found)
    if source == "native file":
        assert ids == ["mine-1", "mine-2"]
    else:
        assert [each[:11] for each in ids] == ["r0000000000", "r0000000001"]
    assert b"echo: hello" in got.content
    # Gemini's form stays the default.
    for headers in ({}, {RESULTS: "gemini"}):
        default = await download(client, name, headers)
        assert all("key" in json.loads(line) for line in default.content.splitlines())


async def test_an_unknown_value_is_refused(
    fake: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    client = BatchClient(ferry.base_url, fake.kind, http)
    refused = await download(client, "batches/none", {RESULTS: "raw"})
    assert refused.error == (400, "INVALID_ARGUMENT")
    assert refused.message == "x-ferry-results must be gemini or native"
    assert await fake.requests(method="GET") == []


@pytest.mark.parametrize("fake", ["gemini"], indirect=True)
async def test_on_gemini_both_formats_are_the_same(
    fake: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    client = BatchClient(ferry.base_url, fake.kind, http)
    name = await client.upload_lines(LINES)
    job = (await client.create(from_file(name))).ok["name"]
    results = (await client.ended(job))["metadata"]["output"]["responsesFile"]
    path = f"download/v1beta/{results}:download?alt=media"
    default, native = [await client.call("GET", path, headers=headers) for headers in ({}, NATIVE)]
    assert (native.code, native.content) == (200, default.content)
    assert default.content


async def test_a_download_that_is_cut_off_never_ends_cleanly(
    translated: FakeClient, ferry: Ferry, http: ClientSession
) -> None:
    client = BatchClient(ferry.base_url, translated.kind, http)
    name = (await client.create(inline(*[{"request": asking("hello")}] * 20))).ok["name"]
    await client.ended(name)
    await translated.arm(CONTENT, "truncate", after_bytes=1000)
    with pytest.raises(ClientError):
        await download(client, name)
    assert len((await download(client, name)).content.splitlines()) == 20
