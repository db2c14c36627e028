"""The provider's reason for a failed batch, where each SDK's user looks for it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.end_to_end.batch_client import MODELS, NATIVE_LINES, BatchClient, gemini_line
from tests.end_to_end.batch_ends import (
    CANCELLED,
    COUNT,
    ENDS,
    INTERNAL,
    INVALID_ARGUMENT,
    End,
)
from tests.end_to_end.conftest import Ferry, Sdks, new_s3_prefix
from tests.end_to_end.fake_client import CONVERSE, FakeClient
from tests.end_to_end.sdk_process import GO, JAVASCRIPT, PYTHON_NEWEST, Sdk, SdkError, SdkProcess
from tests.processes import Process

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

CALLS_OF_A_JOB = 8
"""How many calls the proxy makes at the same time for a batch that it runs itself."""
NATIVE_KEYS = [f"request-{n:03}" for n in range(COUNT)]


@pytest.fixture(params=list(ENDS))
def end(request: pytest.FixtureRequest) -> End:
    return ENDS[request.param]


@pytest_asyncio.fixture(loop_scope="session")
async def upstream(end: End, fakes: Mapping[str, FakeClient], ferry: Ferry) -> FakeClient:
    """The fake after a reset."""
    await fakes[end.provider].reset()
    ferry.forget_files()
    return fakes[end.provider]


@pytest.fixture(params=[PYTHON_NEWEST, JAVASCRIPT, GO], ids=str)
def sdk(request: pytest.FixtureRequest) -> Sdk:
    chosen: Sdk = request.param
    chosen.require()
    return chosen


@pytest_asyncio.fixture(loop_scope="session")
async def process(sdk: Sdk, upstream: FakeClient, sdks: Sdks) -> SdkProcess:
    return await sdks.get(sdk, upstream.kind)


@pytest.fixture
def client(upstream: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, upstream.kind, http)


async def test_inline_requests(
    process: SdkProcess, end: End, upstream: FakeClient, client: BatchClient
) -> None:
    contents = [{"role": "user", "parts": [{"text": f"q{n}"}]} for n in range(COUNT)]
    job = await process.call(
        "batches.create",
        model=MODELS[end.provider],
        src=[{"contents": [content]} for content in contents],
    )
    await take(upstream, job["name"], end)

    job = await process.call("batches.get", name=job["name"])

    assert job["state"] == end.state
    results = job["dest"]["inlinedResponses"]
    assert len(results) == COUNT
    check(end, results)
    await check_operation(end, client, job["name"])


async def test_requests_in_a_file(
    process: SdkProcess, end: End, upstream: FakeClient, client: BatchClient, tmp_path: Path
) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(gemini_line(f"k{n}", f"q{n}")) + "\n" for n in range(COUNT)))
    source = await process.call("files.upload", path=str(path), mime_type="application/jsonl")
    job = await process.call("batches.create", model=MODELS[end.provider], src=source["name"])
    await take(upstream, job["name"], end)

    job = await process.call("batches.get", name=job["name"])

    assert job["state"] == end.state
    found = await download(process, job, tmp_path)
    results = {result["key"]: result for result in found}
    assert len(found) == COUNT
    check(end, [results[f"k{n}"] for n in range(COUNT)])
    await check_operation(end, client, job["name"])
    await check_delete(process, end, job["dest"]["fileName"])


async def test_lines_in_the_providers_own_format(
    sdks: Sdks, end: End, upstream: FakeClient, client: BatchClient, tmp_path: Path
) -> None:
    """One SDK is enough: the results file is the same for all."""
    process = await sdks.get(PYTHON_NEWEST, upstream.kind)
    native = NATIVE_LINES[end.provider]
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(native(key, key)) + "\n" for key in NATIVE_KEYS))
    source = await process.call("files.upload", path=str(path), mime_type="application/jsonl")
    job = await process.call("batches.create", model=MODELS[end.provider], src=source["name"])
    await take(upstream, job["name"], end)

    job = await process.call("batches.get", name=job["name"])

    assert job["state"] == end.state
    found = await download(process, job, tmp_path)
    results = {result["key"]: result for result in found}
    assert len(found) == COUNT
    check(end, [results[key] for key in NATIVE_KEYS])
    await check_operation(end, client, job["name"])


# --- ends that no job of the provider has --------------------------------------------------------


@pytest.mark.parametrize("state", ["FAILED", "EXPIRED", "CANCELLED"])
async def test_a_batch_at_google_ends_with_googles_state(
    sdk: Sdk,
    state: str,
    fakes: Mapping[str, FakeClient],
    ferry: Ferry,
    sdks: Sdks,
    http: ClientSession,
) -> None:
    gemini = fakes["gemini"]
    await gemini.reset()
    process = await sdks.get(sdk, gemini.kind)
    src = [{"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}]
    job = await process.call("batches.create", model=MODELS["gemini"], src=src)
    await gemini.steer(job["name"], state=state)

    job = await process.call("batches.get", name=job["name"])

    assert job["state"] == f"JOB_STATE_{state}"
    operation = (await BatchClient(ferry.base_url, gemini.kind, http).get(job["name"])).ok
    error = {"code": INTERNAL, "message": "The batch failed."} if state == "FAILED" else None
    assert (operation["done"], operation.get("error")) == (True, error)


async def test_a_batch_that_the_proxy_runs_itself(
    immediate_proxy: Process, bedrock: FakeClient, http: ClientSession
) -> None:
    """The first call is refused, and no other can begin before the batch is cancelled."""
    base_url, count = f"{immediate_proxy.url}/genai", CALLS_OF_A_JOB + 2
    headers = {**bedrock.kind.headers, **new_s3_prefix()}
    client = BatchClient(base_url, replace(bedrock.kind, headers=headers), http)
    reason = "This model takes no such request."
    await bedrock.arm(CONVERSE, "status", status=400, body={"message": reason})
    held = await bedrock.arm(CONVERSE, "delay", nth=2, times=CALLS_OF_A_JOB)
    src = [{"contents": [{"role": "user", "parts": [{"text": f"q{n}"}]}]} for n in range(count)]
    async with PYTHON_NEWEST.start(base_url, api_key=bedrock.kind.key, headers=headers) as process:
        job = await process.call("batches.create", model=MODELS["bedrock"], src=src)
        await bedrock.struck(held)
        await process.call("batches.cancel", name=job["name"])
        await bedrock.release(held)
        operation = await client.ended_by_itself(job["name"])

        job = await process.call("batches.get", name=job["name"])

    assert job["state"] == "JOB_STATE_CANCELLED"
    results = job["dest"]["inlinedResponses"]
    assert len(results) == count
    messages = {r["error"]["code"]: r["error"]["message"] for r in results if "error" in r}
    assert set(messages) == {CANCELLED, INVALID_ARGUMENT}
    assert "cancelled before this request was answered" in messages[CANCELLED]
    assert reason in messages[INVALID_ARGUMENT]
    assert operation["error"]["code"] == CANCELLED
    assert "requests were not answered" in operation["error"]["message"]


# --- steps of a test -----------------------------------------------------------------------------


async def take(upstream: FakeClient, name: str, end: End) -> None:
    for step in end.steps:
        await upstream.steer(name, **step)


def check(end: End, results: list[Any]) -> None:
    """Checks each item's error, which is all that the Python SDK shows."""
    errors = [result["error"] for result in results if "error" in result]
    assert tuple(sorted(error["code"] for error in errors)) == end.errors
    assert all(end.each in error["message"] for error in errors)
    assert all("response" in result for result in results if "error" not in result)
    if end.of_second is not None:
        assert results[1]["error"]["message"] == end.of_second


async def check_operation(end: End, client: BatchClient, name: str) -> None:
    operation = (await client.get(name)).ok
    assert operation["done"] is True
    assert operation["error"]["code"] == end.code
    assert end.whole in operation["error"]["message"]
    assert "response" not in operation
    assert operation["metadata"]["output"]


async def download(process: SdkProcess, job: Any, folder: Path) -> list[Any]:
    name = job["dest"]["fileName"]
    file = await process.call("files.get", name=name)
    assert (file["source"], "downloadUri" in file) == ("GENERATED", True)
    path = folder / "results.jsonl"
    await process.call("files.download", path=str(path), name=name)
    return [json.loads(text) for text in path.read_text().splitlines()]


async def check_delete(process: SdkProcess, end: End, name: str) -> None:
    if end.provider == "anthropic":
        with pytest.raises(SdkError, match="delete batches/"):
            await process.call("files.delete", name=name)
        return
    await process.call("files.delete", name=name)
    with pytest.raises(SdkError) as gone:
        await process.call("files.get", name=name)
    assert gone.value.code == 404
