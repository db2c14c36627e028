"""The setting GENERATE_API, from the environment to the call at the provider."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from proxy.composition import application
from proxy.kinds import KINDS
from proxy.settings import load
from tests.contract.provider_with_fake import asking
from tests.fakes.openai import openai_app

THOUGHTS = asking("hello") | {
    "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
}
CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"


@pytest.fixture
async def fake() -> AsyncIterator[TestServer]:
    server = TestServer(openai_app())
    async with server:
        yield server


@pytest.mark.parametrize(
    ("name", "setting", "paths"),
    [
        ("OPENAI", None, [CHAT, RESPONSES]),
        ("OPENAI", "auto", [CHAT, RESPONSES]),
        ("OPENAI", "chat", [CHAT, CHAT]),
        ("OPENAI", "responses", [RESPONSES, RESPONSES]),
        # Another server may have no Responses API.
        ("SERVER", None, [CHAT, CHAT]),
        ("SERVER", "responses", [RESPONSES, RESPONSES]),
    ],
)
async def test_the_api_of_a_provider(
    fake: TestServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    setting: str | None,
    paths: list[str],
) -> None:
    """For a plain request, and for one that asks for thoughts."""
    provider = f"FERRY_PROVIDERS__{name}"
    monkeypatch.setenv("FERRY_STATE_URL", tmp_path.as_uri())
    monkeypatch.setenv(f"{provider}__KIND", "openai")
    monkeypatch.setenv(f"{provider}__BASE_URL", str(fake.make_url("/v1")))
    if setting is not None:
        monkeypatch.setenv(f"{provider}__GENERATE_API", setting)
    async with AsyncExitStack() as stack:
        ferry = await stack.enter_async_context(TestServer(application(load(KINDS))))
        client = await stack.enter_async_context(ClientSession())
        headers = {"x-model-provider": name.lower(), "x-goog-api-key": "sk-one"}
        for body in (asking("hello"), THOUGHTS):
            url = ferry.make_url("/genai/v1beta/models/gpt-5:generateContent")
            async with client.post(url, json=body, headers=headers) as reply:
                assert reply.status == 200, await reply.text()
        async with client.get(fake.make_url("/_fake/requests?method=POST")) as reply:
            asked: list[Any] = (await reply.json())["requests"]
    assert [request["path"] for request in asked] == paths
