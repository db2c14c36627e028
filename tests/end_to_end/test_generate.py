"""Single requests to a model, through Google's SDK; `test_prompts_with_sdks.py` has every SDK."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import uuid4

import orjson
import pytest
from aiohttp import ClientResponse, ClientSession
from google.genai import errors, types

from tests.end_to_end.batch_client import MODELS
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.google_client import TRANSLATED, ask, sdk

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

CACHING = {"x-ferry-anthropic-cache": "5m"}
# The call that asks a model, at every provider.
POST = {"method": "POST", "path": "completions$|messages$|converse|invoke"}


async def test_an_answer(ferry: Ferry, fake: FakeClient) -> None:
    answer = await ask(ferry, fake, "hello")
    assert answer.text is not None
    assert "hello" in answer.text
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP


@TRANSLATED
async def test_what_an_answer_says_of_itself(ferry: Ferry, fake: FakeClient) -> None:
    answer = await ask(ferry, fake, "hello")
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.prompt_token_count
    assert answer.response_id
    assert answer.model_version == MODELS[fake.kind.name]


@TRANSLATED
async def test_a_field_that_cannot_be_carried_is_refused(ferry: Ferry, fake: FakeClient) -> None:
    with pytest.raises(errors.ClientError) as refused:
        await ask(ferry, fake, "hello", cached_content="cachedContents/x")
    assert refused.value.code == 400
    assert "cachedContent: " in str(refused.value.message)
    assert await fake.requests(method="POST", path="completions|messages|converse|invoke") == []


@TRANSLATED
async def test_what_is_dropped_is_named(ferry: Ferry, fake: FakeClient) -> None:
    safety = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"}
    answer = await ask(ferry, fake, "hello", safety_settings=[safety])
    assert answer.sdk_http_response is not None
    warnings = (answer.sdk_http_response.headers or {})["x-ferry-warnings"]
    assert "safetySettings" in warnings


@TRANSLATED
async def test_a_providers_refusal(ferry: Ferry, fake: FakeClient) -> None:
    with pytest.raises(errors.ClientError) as refused:
        await ask(ferry, fake, "please fail")
    assert refused.value.code == 400
    assert "asked to fail" in str(refused.value.message)


@TRANSLATED
async def test_another_model_in_the_body_is_refused(
    ferry: Ferry, fake: FakeClient, http: ClientSession
) -> None:
    async with posting(ferry, fake, http, model="models/another") as reply:
        error = (await reply.json())["error"]
    assert error["code"] == 400
    assert error["message"].startswith("model: differs from the model in the call")


@pytest.mark.parametrize("fake", ["bedrock"], indirect=True)
async def test_bedrock_says_what_is_wrong_with_a_file(ferry: Ferry, fake: FakeClient) -> None:
    file = types.Part.from_uri(file_uri="https://example.com/a.pdf", mime_type="application/pdf")
    with pytest.raises(errors.ClientError) as refused:
        await ask(ferry, fake, ["hello", file])
    assert "contents[0].parts[1].fileData.fileUri: " in str(refused.value.message)


@TRANSLATED
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_providers_rate_limit_is_passed_on_once(
    ferry: Ferry, fake: FakeClient, streamed: bool
) -> None:
    limits = {"x-ratelimit-limit-requests": "5", "anthropic-ratelimit-requests-limit": "5"}
    await fake.arm(POST, "status", status=429, headers={"retry-after": "7", **limits})
    with pytest.raises(errors.ClientError) as refused:
        await (stream if streamed else ask)(ferry, fake, "hello")
    assert (refused.value.code, refused.value.status) == (429, "RESOURCE_EXHAUSTED")
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
    assert info in refused.value.details["error"]["details"]
    headers = refused.value.response.headers
    assert headers["Retry-After"] == "7"
    assert not any("ratelimit" in name.lower() for name in headers)
    assert len(await fake.requests(method="POST", path="/")) == 1


@pytest.mark.parametrize("fake", ["anthropic", "bedrock"], indirect=True)
async def test_a_cached_instruction_is_read_again(ferry: Ferry, fake: FakeClient) -> None:
    config = types.GenerateContentConfig(system_instruction=f"{uuid4()} Be brief. " * 300)

    def talk() -> list[types.GenerateContentResponseUsageMetadata | None]:
        with sdk(ferry, fake, CACHING) as client:
            chat = client.chats.create(model=MODELS[fake.kind.name], config=config)
            return [chat.send_message(words).usage_metadata for words in ("hello", "again")]

    first, again = await asyncio.to_thread(talk)
    assert first is not None
    assert again is not None
    assert not first.cached_content_token_count
    assert (again.cached_content_token_count or 0) > 1000
    assert (again.prompt_token_count or 0) > (again.cached_content_token_count or 0)


@pytest.mark.parametrize("fake", ["openai", "mistral", "gemini"], indirect=True)
async def test_a_cache_that_the_provider_lacks(ferry: Ferry, fake: FakeClient) -> None:
    def talk() -> None:
        with sdk(ferry, fake, CACHING) as client:
            client.models.generate_content(model=MODELS[fake.kind.name], contents="hello")

    with pytest.raises(errors.ClientError, match="remove x-ferry-anthropic-cache") as refused:
        await asyncio.to_thread(talk)
    assert refused.value.code == 400


# --- streams -------------------------------------------------------------------------------------


async def stream(
    ferry: Ferry, fake: FakeClient, contents: Any, **config: Any
) -> list[types.GenerateContentResponse]:
    def read() -> list[types.GenerateContentResponse]:
        with sdk(ferry, fake) as client:
            return list(
                client.models.generate_content_stream(
                    model=MODELS[fake.kind.name],
                    contents=contents,
                    config=types.GenerateContentConfig(**config),
                )
            )

    return await asyncio.to_thread(read)


async def test_a_stream(ferry: Ferry, fake: FakeClient) -> None:
    chunks = await stream(ferry, fake, "hello")
    assert "".join(chunk.text or "" for chunk in chunks).endswith("hello")
    assert len(chunks) > 1


@TRANSLATED
async def test_every_chunk_has_a_part_and_the_last_one_the_end(
    ferry: Ferry, fake: FakeClient
) -> None:
    chunks = await stream(ferry, fake, "hello")
    candidates = [chunk.candidates[0] for chunk in chunks if chunk.candidates]
    assert len(candidates) == len(chunks)
    assert all(one.content and one.content.parts for one in candidates)
    assert [one.finish_reason for one in candidates] == [None] * (len(chunks) - 1) + [
        types.FinishReason.STOP
    ]
    assert {chunk.response_id for chunk in chunks} == {chunks[0].response_id}
    assert chunks[0].response_id
    assert [chunk.usage_metadata is not None for chunk in chunks].index(True) == len(chunks) - 1


@TRANSLATED
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_chat_keeps_an_empty_answer(ferry: Ferry, fake: FakeClient, streamed: bool) -> None:
    def talk() -> list[types.Content]:
        config = types.GenerateContentConfig(stop_sequences=["echo"])
        with sdk(ferry, fake) as client:
            chat = client.chats.create(model=MODELS[fake.kind.name])
            if streamed:
                list(chat.send_message_stream("hello", config=config))
            else:
                assert chat.send_message("hello", config=config).text == ""
            chat.send_message("again")
            return chat.get_history(curated=True)

    history = await asyncio.to_thread(talk)
    *kept, last = [part.text or "" for content in history for part in content.parts or []]
    assert kept == ["hello", "", "again"]
    assert last.endswith("again")


@TRANSLATED
@pytest.mark.parametrize("streamed", [False, True])
async def test_the_reason_of_a_refusal_is_a_text(
    ferry: Ferry, fake: FakeClient, streamed: bool
) -> None:
    asking = stream if streamed else ask
    if fake.kind.name == "mistral":  # it has no refusals, and ends such an answer as failed
        with pytest.raises(errors.ServerError, match="broke the answer off"):
            await asking(ferry, fake, "please refuse")
        return
    answer = await asking(ferry, fake, "please refuse")
    last = answer[-1] if isinstance(answer, list) else answer
    assert last.candidates is not None
    assert last.candidates[0].finish_reason != types.FinishReason.STOP
    chunks = answer if isinstance(answer, list) else [answer]
    parts = [part.text for chunk in chunks for part in chunk.parts or []]
    assert "".join(filter(None, parts))


@TRANSLATED
@pytest.mark.parametrize("fault", ["cut_chunks", "truncate"])
async def test_a_stream_that_breaks_off_is_an_error(
    ferry: Ferry, fake: FakeClient, fault: str
) -> None:
    await fake.arm(
        {"method": "POST", "path": "completions|messages|stream"}, fault, after_bytes=700
    )
    with pytest.raises(errors.APIError) as broken:
        await stream(ferry, fake, "hello " * 100)
    assert broken.value.code == 503


ANSWER = {"method": "POST", "path": "completions$|messages$|stream$"}
# Of the fakes' streams: several chunks, and not the end.
SOME_BYTES = 1500


@TRANSLATED
async def test_a_chunk_arrives_while_the_provider_still_writes(
    ferry: Ferry, fake: FakeClient, http: ClientSession
) -> None:
    held = await fake.arm(ANSWER, "pause", after_bytes=SOME_BYTES)
    async with streaming(ferry, fake, http, "hello " * 100) as reply:
        first = await reply.content.readuntil(b"\n\n")
        assert b"echo" in first
        await fake.release(held)
        rest = await reply.read()
    assert b'"finishReason":"STOP"' in rest


@TRANSLATED
async def test_a_client_that_leaves_ends_the_providers_stream(
    ferry: Ferry, fake: FakeClient, http: ClientSession
) -> None:
    await fake.arm(ANSWER, "pause", after_bytes=SOME_BYTES)
    async with streaming(ferry, fake, http, "hello " * 100) as reply:
        await reply.content.readuntil(b"\n\n")
    await fake.ended(method="POST", outcome="client_gone")


@TRANSLATED
async def test_a_stream_ends_with_the_clients_time(
    ferry: Ferry, fake: FakeClient, http: ClientSession
) -> None:
    await fake.arm(ANSWER, "pause", after_bytes=SOME_BYTES)
    timeout = {"X-Server-Timeout": "0.5"}
    async with streaming(ferry, fake, http, "hello " * 100, **timeout) as reply:
        *_, last, rest = (await reply.read()).split(b"\n\n")
    assert rest == b""
    error = orjson.loads(last.removeprefix(b"data: "))["error"]
    assert (error["code"], error["status"]) == (504, "DEADLINE_EXCEEDED")
    assert "0.5 seconds (X-Server-Timeout)" in error["message"]
    await fake.ended(method="POST", outcome="client_gone")


@TRANSLATED
async def test_without_alt_a_stream_is_a_list(
    ferry: Ferry, fake: FakeClient, http: ClientSession
) -> None:
    async with streaming(ferry, fake, http, "hello", alt="json") as reply:
        assert reply.content_type == "application/json"
        chunks = await reply.json()
    assert chunks[-1]["candidates"][0]["finishReason"] == "STOP"


@TRANSLATED
async def test_another_form_of_a_stream_is_refused(
    ferry: Ferry, fake: FakeClient, http: ClientSession
) -> None:
    async with streaming(ferry, fake, http, "hello", alt="proto") as reply:
        error = (await reply.json())["error"]
    assert (error["code"], error["message"]) == (400, "alt: must be sse or json")


def posting(
    ferry: Ferry, fake: FakeClient, http: ClientSession, **fields: str
) -> AbstractAsyncContextManager[ClientResponse]:
    headers = {"x-goog-api-key": fake.kind.key, **fake.kind.headers}
    body = {"contents": [{"parts": [{"text": "hello"}]}], **fields}
    path = f"v1beta/models/{MODELS[fake.kind.name]}:generateContent"
    return http.post(f"{ferry.base_url}/{path}", json=body, headers=headers)


def streaming(
    ferry: Ferry, fake: FakeClient, http: ClientSession, text: str, alt: str = "sse", **headers: str
) -> AbstractAsyncContextManager[ClientResponse]:
    headers |= {"x-goog-api-key": fake.kind.key, **fake.kind.headers}
    body = {"contents": [{"parts": [{"text": text}]}]}
    path = f"v1beta/models/{MODELS[fake.kind.name]}:streamGenerateContent"
    url = f"{ferry.base_url}/{path}?alt={alt}"
    return http.post(url, json=body, headers=headers)
