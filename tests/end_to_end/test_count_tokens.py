"""`models.count_tokens` through Google's SDK; `test_prompts_with_sdks.py` has every SDK."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession
from google.genai import errors, types

from tests.end_to_end.batch_client import MODELS
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.google_client import sdk

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

COUNTING = pytest.mark.parametrize(
    "fake", ["gemini", "openai", "anthropic", "bedrock"], indirect=True
)


async def counted(ferry: Ferry, fake: FakeClient, contents: Any) -> types.CountTokensResponse:
    with sdk(ferry, fake) as client:
        model = MODELS[fake.kind.name]
        return await asyncio.to_thread(client.models.count_tokens, model=model, contents=contents)


@COUNTING
async def test_a_count(ferry: Ferry, fake: FakeClient) -> None:
    short, longer = [
        await counted(ferry, fake, text) for text in ("hello", "hello, this is a longer text")
    ]
    assert short.total_tokens
    assert longer.total_tokens
    assert short.total_tokens < longer.total_tokens


@COUNTING
async def test_the_history_of_a_chat(ferry: Ferry, fake: FakeClient) -> None:
    def talk() -> list[types.Content]:
        with sdk(ferry, fake) as client:
            chat = client.chats.create(model=MODELS[fake.kind.name])
            list(chat.send_message_stream("hello"))
            return chat.get_history()

    history = await asyncio.to_thread(talk)
    assert history[-1].role == "model"
    assert (await counted(ferry, fake, history)).total_tokens


@pytest.mark.parametrize("fake", ["openai"], indirect=True)
async def test_openai_says_what_it_counted(ferry: Ferry, fake: FakeClient) -> None:
    count = await counted(ferry, fake, "hello")
    assert count.sdk_http_response is not None
    warnings = (count.sdk_http_response.headers or {})["x-ferry-warnings"]
    assert warnings.startswith("totalTokens=")


@pytest.mark.parametrize("fake", ["mistral"], indirect=True)
async def test_mistral_has_no_count(ferry: Ferry, fake: FakeClient) -> None:
    with pytest.raises(errors.ServerError) as refused:
        await counted(ferry, fake, "hello")
    assert refused.value.code == 501
    assert "countTokens is not supported for mistral" in str(refused.value.message)


@COUNTING
async def test_a_whole_request(ferry: Ferry, fake: FakeClient, http: ClientSession) -> None:
    """As REST clients send it: the SDKs refuse a system instruction here."""
    model = MODELS[fake.kind.name]
    system = {"parts": [{"text": "be brief"}]}
    whole = {"contents": [{"parts": [{"text": "hello"}]}], "systemInstruction": system}
    headers = {
        **fake.kind.headers,
        "x-model-provider": fake.kind.name,
        "x-goog-api-key": fake.kind.key,
    }
    url = f"{ferry.base_url}/v1beta/models/{model}:countTokens"
    body = {"generateContentRequest": whole | {"model": f"models/{model}"}}
    async with http.post(url, json=body, headers=headers) as reply:
        assert reply.status == 200, await reply.text()
        assert (await reply.json())["totalTokens"] > 0
