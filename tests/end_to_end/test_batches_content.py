"""Requests reach a strict OpenAI unchanged in meaning, and answers return in Gemini's shape."""

import base64
import json
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import BatchClient, Document, asking, inline, text_of
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.fakes.media import seen

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

TOOL: Document = {
    "functionDeclarations": [
        {"name": "look_up", "description": "Looks up.", "parameters": {"type": "OBJECT"}},
        {"name": "add", "parametersJsonSchema": {"type": "object", "properties": {"a": {}}}},
    ]
}


@pytest.fixture
def client(openai: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, openai.kind, http)


async def answer(client: BatchClient, request: Document) -> Document:
    """The answer to one request."""
    name = (await client.create(inline({"request": request}))).ok["name"]
    (result,) = await client.results(await client.ended(name))
    assert "response" in result, result
    response: Document = result["response"]
    return response


def configured(text: str, **config: Any) -> Document:
    return asking(text, generationConfig=config)


async def test_every_setting_that_openai_supports(client: BatchClient) -> None:
    response = await answer(
        client,
        configured(
            "one two three",
            temperature=0.5,
            topP=0.9,
            seed=7,
            stopSequences=["A", "B", "C", "D"],
            presencePenalty=0.5,
            frequencyPenalty=-0.5,
            maxOutputTokens=100,
            candidateCount=2,
            responseLogprobs=True,
            logprobs=1,
            responseModalities=["TEXT"],
            responseMimeType="text/plain",
        ),
    )

    assert [one["index"] for one in response["candidates"]] == [0, 1]
    for one in response["candidates"]:
        assert text_of({"response": {"candidates": [one]}}) == "echo: one two three"
        assert len(one["logprobsResult"]["chosenCandidates"]) == 4
        assert one["avgLogprobs"] == -0.5
    assert response["modelVersion"] == client.model


async def test_settings_in_the_sdks_mixed_spelling(client: BatchClient) -> None:
    request = {
        "contents": [{"parts": [{"text": "hello"}]}],
        "system_instruction": {"parts": [{"text": "Be brief."}], "role": "user"},
        "generation_config": {"max_output_tokens": 1, "thinkingConfig": {"thinking_budget": 0}},
    }

    response = await answer(client, request)

    (candidate,) = response["candidates"]
    assert candidate["finishReason"] == "MAX_TOKENS"
    assert candidate["content"] == {"role": "model", "parts": [{"text": "echo:"}]}


async def test_thought_tokens_are_counted_separately(client: BatchClient) -> None:
    response = await answer(client, configured("a b", thinkingConfig={"thinkingLevel": "LOW"}))

    assert response["usageMetadata"] == {
        "promptTokenCount": 2,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 5,
        "cachedContentTokenCount": 0,
        "totalTokenCount": 10,
    }


async def test_a_refusal_has_the_finish_reason_safety(client: BatchClient) -> None:
    (candidate,) = (await answer(client, asking("please refuse")))["candidates"]

    assert candidate["finishReason"] == "SAFETY"
    assert candidate["content"]["parts"] == [{"text": "I'm sorry, I cannot help with that."}]


@pytest.mark.parametrize(
    ("calling", "called"),
    [
        ({"mode": "ANY"}, "look_up"),
        ({"mode": "ANY", "allowedFunctionNames": ["add"]}, "add"),
        ({"mode": "ANY", "allowedFunctionNames": ["look_up", "add"]}, "look_up"),
        ({"mode": "NONE"}, None),
        ({"mode": "AUTO"}, None),
    ],
    ids=str,
)
async def test_which_tool_is_called(
    client: BatchClient, calling: Document, called: str | None
) -> None:
    request = asking("hello", tools=[TOOL], toolConfig={"functionCallingConfig": calling})

    (candidate,) = (await answer(client, request))["candidates"]

    (part,) = candidate["content"]["parts"]
    assert part.get("functionCall", {}).get("name") == called
    assert candidate["finishReason"] == "STOP"


async def test_a_conversation_with_a_called_tool(client: BatchClient) -> None:
    request = {
        "contents": [
            {"role": "user", "parts": [{"text": "What is 2+2?"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "add", "args": {"a": 2}}}]},
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "add", "response": {"result": 4}}},
                    {"text": "And now?"},
                ],
            },
        ],
        "tools": [TOOL],
    }

    assert text_of({"response": await answer(client, request)}) == "echo: And now?"


@pytest.mark.parametrize("schema", ["responseSchema", "responseJsonSchema"])
async def test_an_answer_in_json(client: BatchClient, schema: str) -> None:
    kinds = {"responseSchema": ("OBJECT", "STRING"), "responseJsonSchema": ("object", "string")}
    whole, part = kinds[schema]
    asked = {"type": whole, "properties": {"name": {"type": part}}, "required": ["name"]}

    response = await answer(
        client, configured("x", responseMimeType="application/json", **{schema: asked})
    )

    assert json.loads(text_of({"response": response})) == {"name": "text"}


# No real picture: its base64 contains both letters in which the alphabet for URLs differs.
PIXEL = base64.urlsafe_b64encode(b"\x89PNG\r\n\x1a\n" + b"\xfb\xff\xfe" * 8).decode()


async def test_an_image_in_the_request(client: BatchClient) -> None:
    """The SDK writes its base64 with the alphabet for URLs (translation.md section 0)."""
    part = {"inlineData": {"mime_type": "image/png", "data": PIXEL}}

    response = await answer(client, {"contents": [{"parts": [{"text": "See:"}, part]}]})

    assert text_of({"response": response}) == f"echo: See:{seen(PIXEL)}"


@pytest.mark.parametrize("named", ["name", "uri"])
async def test_a_file_in_the_request(client: BatchClient, named: str) -> None:
    raw = {
        "X-Goog-Upload-Protocol": "raw",
        "X-Goog-Upload-File-Name": "a.pdf",
        "Content-Type": "application/pdf",
    }
    file = (await client.call("POST", "upload/v1beta/files", b"%PDF-1.4", raw)).ok["file"]
    part = {"fileData": {"fileUri": file[named], "mimeType": "application/pdf"}}

    response = await answer(client, {"contents": [{"parts": [part, {"text": "Read it."}]}]})

    assert text_of({"response": response}) == "echo: Read it."


async def test_a_request_can_repeat_the_batchs_model(client: BatchClient) -> None:
    for model in (client.model, f"models/{client.model}"):
        response = await answer(client, asking("hello", model=model))

        assert text_of({"response": response}) == "echo: hello"


async def test_a_display_name_and_metadata_of_any_characters(client: BatchClient) -> None:
    name, metadata = 'Zürich "\u2028\\ 文件 🚢', {'k "\n': "v \u0000 🚢", "": ""}
    request = {"request": asking("hello"), "metadata": metadata}

    created = (await client.create(inline(request), displayName=name)).ok
    batch = await client.ended(created["name"])

    assert batch["metadata"]["displayName"] == name
    (result,) = await client.results(batch)
    assert result["metadata"] == metadata


async def test_a_display_name_that_openai_cannot_keep(
    client: BatchClient, openai: FakeClient
) -> None:
    assert (await client.create(inline({"request": asking("x")}), displayName="n" * 512)).ok

    refused = await client.create(inline({"request": asking("x")}), displayName="n" * 513)

    assert refused.error == (400, "INVALID_ARGUMENT")
    assert "batch.displayName" in refused.message
    assert len((await openai.objects())["batches"]) == 1
