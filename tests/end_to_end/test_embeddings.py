"""Embeddings through Google's SDK; `test_prompts_with_sdks.py` has every SDK."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession
from google.genai import errors, types

from tests.end_to_end.batch_client import EMBEDDING_MODELS
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.google_client import sdk
from tests.fakes.bedrock.embeddings import normalized
from tests.fakes.sample import vector

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

EMBEDDING = pytest.mark.parametrize(
    "fake", ["gemini", "openai", "mistral", "bedrock"], indirect=True
)
TRANSLATED = pytest.mark.parametrize("fake", ["openai", "mistral", "bedrock"], indirect=True)
LENGTH = 256
CONFIG: Any = {"output_dimensionality": LENGTH}
CAMEL: Any = {"outputDimensionality": LENGTH}


def expected(fake: FakeClient, text: str) -> list[float]:
    values = vector(text, LENGTH)
    return normalized(values) if fake.kind.name == "bedrock" else values


async def embed(
    ferry: Ferry, fake: FakeClient, contents: Any, **config: Any
) -> types.EmbedContentResponse:
    with sdk(ferry, fake) as client:
        return await asyncio.to_thread(
            client.models.embed_content,
            model=EMBEDDING_MODELS[fake.kind.name],
            contents=contents,
            config=types.EmbedContentConfig(**CONFIG | config),
        )


def values(answer: types.EmbedContentResponse) -> list[Any]:
    return [each.values for each in answer.embeddings or ()]


@EMBEDDING
async def test_one_text(ferry: Ferry, fake: FakeClient) -> None:
    assert values(await embed(ferry, fake, "one")) == [expected(fake, "one")]


@EMBEDDING
async def test_several_texts_in_their_order(ferry: Ferry, fake: FakeClient) -> None:
    texts = [f"text {number}" for number in range(20)]
    answer = await embed(ferry, fake, texts)
    assert values(answer) == [expected(fake, text) for text in texts]


@TRANSLATED
async def test_a_setting_that_cannot_be_carried_is_refused(ferry: Ferry, fake: FakeClient) -> None:
    with pytest.raises(errors.ClientError) as refused:
        await embed(ferry, fake, ["a", "b"], title="t")
    assert refused.value.code == 400
    assert str(refused.value.message).startswith("requests[0].title: ")
    assert await fake.requests(method="POST", path="embeddings|invoke") == []


@EMBEDDING
async def test_a_providers_refusal(ferry: Ferry, fake: FakeClient) -> None:
    with pytest.raises(errors.ClientError) as refused:
        await embed(ferry, fake, ["a", "please fail"])
    assert refused.value.code == 400
    assert "asked to fail" in str(refused.value.message)


@EMBEDDING
async def test_the_call_for_one_content(
    ferry: Ferry, fake: FakeClient, http: ClientSession
) -> None:
    model = EMBEDDING_MODELS[fake.kind.name]
    headers = {"x-goog-api-key": fake.kind.key, **fake.kind.headers}
    body = {"model": f"models/{model}", "content": {"parts": [{"text": "a b"}]}, **CAMEL}
    url = f"{ferry.base_url}/v1beta/models/{model}:embedContent"
    async with http.post(url, json=body, headers=headers) as reply:
        answer = await reply.json()
    assert answer["embedding"] == {"values": expected(fake, "a b")}
    if fake.kind.name != "gemini":
        assert answer["usageMetadata"] == {"promptTokenCount": 2}


@pytest.mark.parametrize("fake", ["openai", "mistral"], indirect=True)
async def test_as_many_texts_as_a_call_takes(
    ferry: Ferry, fake: FakeClient, http: ClientSession
) -> None:
    texts = [f"text {number}" for number in range(2048)]
    async with asking(ferry, fake, http, texts) as reply:
        answer = await reply.json()
    found = [each["values"] for each in answer["embeddings"]]
    assert found == [expected(fake, text) for text in texts]
    assert answer["usageMetadata"] == {"promptTokenCount": 2 * len(texts)}
    async with asking(ferry, fake, http, [*texts, "one more"]) as reply:
        error = (await reply.json())["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"] == "requests: has 2049 requests; one call takes 2048"


def asking(
    ferry: Ferry, fake: FakeClient, http: ClientSession, texts: Sequence[str]
) -> AbstractAsyncContextManager[ClientResponse]:
    requests = [{"content": {"parts": [{"text": text}]}, **CAMEL} for text in texts]
    url = f"{ferry.base_url}/v1beta/models/{EMBEDDING_MODELS[fake.kind.name]}:batchEmbedContents"
    headers = {"x-goog-api-key": fake.kind.key, **fake.kind.headers}
    return http.post(url, json={"requests": requests}, headers=headers)


@pytest.mark.parametrize("fake", ["anthropic"], indirect=True)
async def test_anthropic_has_none(ferry: Ferry, fake: FakeClient) -> None:
    with sdk(ferry, fake) as client, pytest.raises(errors.ServerError) as refused:
        await asyncio.to_thread(client.models.embed_content, model="claude", contents="a")
    assert refused.value.code == 501
    message = str(refused.value.message)
    assert "batchEmbedContents is not supported for anthropic" in message
    assert message.endswith(
        "client.models.embed_content works with bedrock, gemini, mistral and openai"
    )
