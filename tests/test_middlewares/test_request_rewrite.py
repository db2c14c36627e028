"""Requests are read into operations: page sizes, and unsupported parameters."""

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


@pytest.mark.parametrize(
    ("method", "path", "known"),
    [
        ("GET", "files?alt=proto", "json"),
        ("GET", "files/a?alt=json&alt=proto", "json"),
        ("GET", "files/a:download?alt=json", "media"),
        ("POST", "models/m:generateContent?alt=proto", "json"),
        ("POST", "models/m:generateContent?alt=sse", "json"),
        ("POST", "models/m:streamGenerateContent?alt=proto", "sse or json"),
        ("POST", "models/m:batchGenerateContent?alt=", "json"),
    ],
)
async def test_a_form_of_the_answer_that_a_call_does_not_have(
    method: str, path: str, known: str
) -> None:
    nothing = Scripted(lambda *_: None)
    provider = scripted_provider("openai", files=nothing, batches=nothing, prompts=nothing)
    async with running_chain(provider) as client:
        async with client.request(method, f"/genai/v1/{path}", headers=KEY) as reply:
            assert reply.status == 400
            assert (await reply.json())["error"]["message"] == f"alt: must be {known}"
    assert nothing.calls == []


async def test_the_usual_form_of_the_answer_may_be_named() -> None:
    files = Scripted(lambda *_: Page([]))
    async with running_chain(scripted_provider("openai", files=files)) as client:
        async with client.get("/genai/v1/files?alt=json", headers=KEY) as reply:
            assert reply.status == 200


async def test_a_call_that_is_not_served_is_that_in_every_form() -> None:
    async with running_chain(scripted_provider("openai")) as client:
        async with client.post("/genai/v1/models/m:predict?alt=proto", headers=KEY) as reply:
            assert reply.status == 501
