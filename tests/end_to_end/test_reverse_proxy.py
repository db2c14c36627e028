"""The nginx configuration of deploy/docs/reverse-proxies.md works, at the root and below a path."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.end_to_end.batch_client import LOOKS, MODELS
from tests.end_to_end.conftest import MIB, Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.nginx import nginx
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.sdk_process import JAVA, PYTHON_NEWEST, SdkProcess
from tests.end_to_end.test_faults import send_a_part_and_leave
from tests.end_to_end.upload_client import UploadClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

REQUESTS = b'{"key": "sum", "request": {"contents": [{"parts": [{"text": "What is 2+2?"}]}]}}\n'
LONG_KEY = "sk-" + "k" * 3800
"""A key whose upload URL has nearly the longest allowed length."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def front(ferry: Ferry, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of nginx. At the end, its log must have no secret."""
    folder = tmp_path_factory.mktemp("nginx")
    async with nginx(folder, ferry.proxy.url) as address:
        yield address
    logged = (folder / "access.log").read_text()
    assert "/genai/upload/v1/files 200" in logged
    assert "upload_id" not in logged


@pytest.fixture(params=["/genai", "/team/genai"])
def base_url(request: pytest.FixtureRequest, front: str) -> str:
    return f"{front}{request.param}"


@pytest_asyncio.fixture(loop_scope="session", params=[PYTHON_NEWEST, JAVA], ids=str)
async def sdk(
    request: pytest.FixtureRequest, openai: FakeClient, base_url: str
) -> AsyncIterator[SdkProcess]:
    """Java's puts the path of its base URL in front of an upload URL's path again."""
    kind = openai.kind
    client = request.param.start(base_url, api_key=kind.key, headers=dict(kind.headers))
    async with client as started:
        yield started


async def test_an_sdk_uploads_lists_and_gets(
    sdk: SdkProcess, base_url: str, openai: FakeClient, twenty_mib: Path
) -> None:
    file = await sdk.call("files.upload", path=str(twenty_mib), mime_type="application/pdf")

    assert file["uri"] == f"{base_url}/v1beta/{file['name']}"
    assert await openai.sha256(file["name"]) == hashlib.sha256(twenty_mib.read_bytes()).hexdigest()
    listed = await sdk.call("files.list")
    assert [one["name"] for one in listed["items"]] == [file["name"]]
    for name in (file["name"], file["uri"]):
        assert await sdk.call("files.get", name=name) == file


async def test_an_sdk_runs_a_batch(sdk: SdkProcess, tmp_path: Path) -> None:
    path, results = tmp_path / "requests.jsonl", tmp_path / "results.jsonl"
    path.write_bytes(REQUESTS)
    file = await sdk.call("files.upload", path=str(path), mime_type="application/jsonl")

    job = await sdk.call("batches.create", model=MODELS["openai"], src=file["name"], config={})
    job = await _succeeded(sdk, job)

    await sdk.call("files.download", name=job["dest"]["fileName"], path=str(results))
    assert b"echo: What is 2+2?" in results.read_bytes()


async def _succeeded(sdk: SdkProcess, job: Any) -> Any:
    for _ in range(LOOKS):
        if job["state"] == "JOB_STATE_SUCCEEDED":
            return job
        job = await sdk.call("batches.get", name=job["name"])
    raise AssertionError(f"{job['name']} did not succeed: {job['state']}")


async def test_a_long_upload_url_passes(
    base_url: str, openai: FakeClient, http: ClientSession
) -> None:
    kind = replace(openai.kind, key=LONG_KEY)
    client = UploadClient(base_url, kind, http)
    url = await client.begin(3)
    assert url.startswith(f"{base_url}/upload/v1beta/files?")
    assert len(url) > 7000

    ended = await client.send(url, 0, b"abc", finalize=True)

    assert ended.file["sizeBytes"] == "3"


async def test_an_upload_streams(base_url: str, openai: FakeClient, http: ClientSession) -> None:
    """Bytes reach the upstream before the last is sent, and the end of a cut upload too."""
    client = UploadClient(base_url, openai.kind, http)
    headers = {**client.authorised, "X-Goog-Upload-Protocol": "raw"}
    url = f"{base_url}/upload/v1beta/files"

    await send_a_part_and_leave(openai, url, headers, 20 * MIB, pattern_bytes(10 * MIB))

    await openai.ended(outcome="client_gone")


async def test_a_client_cannot_choose_the_proxys_address(
    base_url: str, openai: FakeClient, http: ClientSession
) -> None:
    client = UploadClient(base_url, openai.kind, http)
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}

    url = await client.begin(3, headers={**headers, "X-Forwarded-Proto": "https"})

    assert url.startswith(f"{base_url}/upload/v1beta/files?")
