"""A web page uses the proxy through the JavaScript SDK's web build, in a real browser."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.end_to_end.batch_client import MODELS
from tests.end_to_end.conftest import MIB
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.web_page import WebPage, web_page
from tests.processes import Process, proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

SIZE = 10 * MIB


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page() -> AsyncIterator[WebPage]:
    async with web_page() as page:
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def open_proxy(page: WebPage, openai: FakeClient, tmp_path: Path) -> AsyncIterator[Process]:
    """A proxy that only the page at one origin may call."""
    cors = {"FERRY_CORS_ORIGINS": page.origin}
    async with proxy(tmp_path / "state", {"openai": openai.as_upstream}, cors) as process:
        yield process


def asked_of(proxy: Process, openai: FakeClient) -> dict[str, str]:
    return {
        "base_url": f"{proxy.url}/genai",
        "key": openai.kind.key,
        "provider": "openai",
        "model": MODELS["openai"],
        "size": str(SIZE),
    }


async def test_a_page_of_an_allowed_origin_can_do_everything(
    page: WebPage, open_proxy: Process, openai: FakeClient, tmp_path: Path
) -> None:
    seen: Any = await page.seen(page.origin, tmp_path / "profile", asked_of(open_proxy, openai))

    assert "error" not in seen, seen
    file = seen["file"]
    content = pattern_bytes(SIZE)
    assert int(file["sizeBytes"]) == SIZE
    assert await openai.sha256(file["name"]) == hashlib.sha256(content).hexdigest()
    assert file["uri"] == f"{open_proxy.url}/genai/v1beta/{file['name']}"
    assert seen["got"]["name"] == file["name"]
    assert seen["listed"] == [file["name"]]
    assert [content["parts"][0]["text"] for content in seen["batch"]] == ["echo: hello"]
    assert seen["fetched"]["status"] == 200
    assert seen["fetched"]["request"], "our own headers can be read"
    assert seen["refused"] == 404, "the SDK gets the error, not a failed fetch"
    assert (seen["refusedFetch"]["status"], bool(seen["refusedFetch"]["request"])) == (404, True)
    assert seen["deleted"] == seen["listed"]


async def test_a_page_of_another_origin_can_do_nothing(
    page: WebPage, open_proxy: Process, openai: FakeClient, tmp_path: Path
) -> None:
    asked = asked_of(open_proxy, openai)

    seen: Any = await page.seen(page.other_origin, tmp_path / "profile", asked)

    assert "Failed to fetch" in seen["error"]
    assert await openai.requests() == []
