"""Requests are read into operations: page sizes, and unsupported parameters of lists."""

import pytest

from providers.resources import Page
from tests.test_middlewares.running_chain import Scripted, running_chain, scripted_provider

KEY = {"x-goog-api-key": "a"}


@pytest.mark.parametrize(
    ("query", "size", "token"),
    [
        ("", 10, None),
        ("?pageSize=2", 2, None),
        ("?page_size=2&page_token=t", 2, "t"),
        ("?pageSize=100&pageToken=a%3D%3D", 100, "a=="),
        ("?pageSize=101", 100, None),
        ("?pageSize=0", 10, None),
        ("?pageSize=&pageToken=", 10, None),
    ],
)
async def test_a_page(query: str, size: int, token: str | None) -> None:
    files = Scripted(lambda *_: Page([], "next"))
    async with running_chain(scripted_provider("openai", files=files)) as client:
        async with client.get(f"/genai/v1/files{query}", headers=KEY) as reply:
            assert await reply.json() == {"nextPageToken": "next"}
    assert files.calls[0][2:] == (size, token)


@pytest.mark.parametrize(
    ("query", "path"),
    [("?pageSize=-1", "pageSize"), ("?pageSize=a", "pageSize"), ("?filter=a", "filter")],
)
async def test_no_page(query: str, path: str) -> None:
    files = Scripted(lambda *_: Page([]))
    async with running_chain(scripted_provider("openai", files=files)) as client:
        async with client.get(f"/genai/v1/files{query}", headers=KEY) as reply:
            assert reply.status == 400
            assert (await reply.json())["error"]["message"].startswith(f"{path}: ")
    assert files.calls == []
