"""Below a path of a shared host. The Java SDK repeats that path in the path of an upload."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.end_to_end.balancer import balancer
from tests.end_to_end.conftest import MIB, Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.sdk_process import GO, JAVA, JAVA_1X, JAVASCRIPT, PYTHON_NEWEST, Sdk
from tests.processes import free_port, proxy

SUB_PATH = "/team"

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session", params=["stripped", "handed on"])
async def base_url(
    request: pytest.FixtureRequest, ferry: Ferry, http: ClientSession, tmp_path: Path
) -> AsyncIterator[str]:
    """The address of a proxy below the path: an ingress strips it, or the proxy knows it."""
    if request.param == "stripped":
        async with balancer([ferry.proxy.url], http, below=SUB_PATH) as ingress:
            yield ingress.url
        return
    port = free_port()
    public = f"http://127.0.0.1:{port}{SUB_PATH}"
    settings = {"FERRY_PORT": str(port), "FERRY_PUBLIC_URL": public}
    async with proxy(tmp_path / "state", ferry.upstreams, settings):
        yield f"{public}/genai"


@pytest.mark.parametrize(
    ("fake", "sdk"),
    [
        ("gemini", JAVA),
        *(("openai", sdk) for sdk in (JAVA, JAVA_1X, PYTHON_NEWEST, JAVASCRIPT, GO)),
    ],
    indirect=["fake"],
    ids=str,
)
async def test_a_file_is_uploaded_and_downloaded_below_a_path(
    base_url: str, fake: FakeClient, sdk: Sdk, tmp_path: Path
) -> None:
    size = 9 * MIB
    kind = fake.kind
    async with sdk.start(base_url, api_key=kind.key, headers=dict(kind.headers)) as process:
        file = await process.call("files.upload", size=size, mime_type="application/jsonl")
        await fake.check_only_file(file, pattern_bytes(size))
        assert (await process.call("files.get", name=file["uri"]))["name"] == file["name"]
        listed = await process.call("files.list", page_size=10)
        assert [one["name"] for one in listed["items"]] == [file["name"]]
        if "downloadUri" in file:
            path = tmp_path / "downloaded"
            await process.call("files.download", file=file, path=str(path))
            assert path.read_bytes() == pattern_bytes(size)
        await process.call("files.delete", name=file["name"])
    assert (await fake.objects())["files"] == []


@pytest.mark.parametrize("sdk", [JAVA, PYTHON_NEWEST, JAVASCRIPT, GO], ids=str)
@pytest.mark.parametrize("fake", ["gemini"], indirect=True)
async def test_an_upload_into_a_file_search_store_below_a_path(
    base_url: str, fake: FakeClient, sdk: Sdk, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(pattern_bytes(9 * MIB))
    async with sdk.start(base_url, api_key=fake.kind.key) as process:
        document = await process.call(
            "file_search_stores.upload", path=str(path), mime_type="text/plain", display_name="a"
        )
    assert int(document["sizeBytes"]) == 9 * MIB
