"""Requests reach a strict Anthropic unchanged in meaning, and answers return in Gemini's shape."""

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

INVALID = (400, "INVALID_ARGUMENT")
TOOL: Document = {
    "functionDeclarations": [
        {
            "name": "look_up",
            "description": "Looks up.",
            "parameters": {"type": "OBJECT", "properties": {"what": {"type": "STRING"}}},
        },
        {"name": "add", "parametersJsonSchema": {"type": "object", "properties": {"a": {}}}},
    ]
}
PIXEL = base64.urlsafe_b64encode(b"\x89PNG\r\n\x1a\n" + b"\xfb\xff\xfe" * 8).decode()
PDF = b"%PDF-1.4"


@pytest.fixture
def client(anthropic: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, anthropic.kind, http)


async def answer(client: BatchClient, request: Document, model: str | None = None) -> Document:
    """The answer to one request."""
    name = (await client.create(inline({"request": request}), model=model)).ok["name"]
    (result,) = await client.results(await client.ended(name))
    assert "response" in result, result
    response: Document = result["response"]
    return response


def configured(text: str, **config: Any) -> Document:
    return asking(text, generationConfig=config)


def parts_of(response: Document) -> list[Document]:
    (candidate,) = response["candidates"]
    parts: list[Document] = candidate["content"]["parts"]
    return parts


# --- settings ------------------------------------------------------------------------------------


async def test_every_setting_that_anthropic_supports(client: BatchClient) -> None:
    request = configured(
        "one two STOP three",
        temperature=0.5,
        topK=40,
        stopSequences=["STOP"],
        maxOutputTokens=100,
        candidateCount=1,
        responseModalities=["TEXT"],
        responseMimeType="text/plain",
    )
    request["systemInstruction"] = {"parts": [{"text": "Be brief."}]}

    response = await answer(client, request)

    assert text_of({"response": response}) == "echo: one two"
    assert response["candidates"][0]["finishReason"] == "STOP"
    assert response["modelVersion"] == client.model
    usage = response["usageMetadata"]
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["candidatesTokenCount"]


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"temperature": 1.5}, "temperature"),
        ({"seed": 1}, "seed"),
        ({"candidateCount": 2}, "candidateCount"),
        ({"presencePenalty": 0.5}, "presencePenalty"),
        ({"responseLogprobs": True}, "responseLogprobs"),
        ({"responseModalities": ["IMAGE"]}, "responseModalities"),
        ({"thinkingConfig": {"thinkingBudget": 5}}, "thinkingConfig.thinkingBudget"),
    ],
    ids=str,
)
async def test_a_field_that_anthropic_lacks_is_refused_with_its_path(
    client: BatchClient, anthropic: FakeClient, config: Document, path: str
) -> None:
    refused = await client.create(inline({"request": configured("x", **config)}))

    assert refused.error == INVALID
    assert f"requests[0].request.generationConfig.{path}" in refused.message
    assert await anthropic.requests(method="POST") == []


async def test_safety_settings_are_dropped_and_named(client: BatchClient) -> None:
    settings = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}]

    created = await client.create(inline({"request": asking("x", safetySettings=settings)}))

    assert created.code == 200
    assert "safetySettings" in created.headers["x-ferry-warnings"]


async def test_a_refusal_has_the_finish_reason_safety(client: BatchClient) -> None:
    (candidate,) = (await answer(client, asking("please refuse")))["candidates"]

    assert candidate["finishReason"] == "SAFETY"


async def test_a_model_of_its_own_for_a_request(client: BatchClient) -> None:
    response = await answer(client, asking("x", model="models/claude-sonnet-4-5"))

    assert response["modelVersion"] == "claude-sonnet-4-5"


@pytest.mark.parametrize("schema", ["responseSchema", "responseJsonSchema"])
async def test_an_answer_in_json(client: BatchClient, schema: str) -> None:
    kinds = {"responseSchema": ("OBJECT", "STRING"), "responseJsonSchema": ("object", "string")}
    whole, part = kinds[schema]
    asked = {"type": whole, "properties": {"name": {"type": part}}, "required": ["name"]}

    response = await answer(
        client, configured("x", responseMimeType="application/json", **{schema: asked})
    )

    assert json.loads(text_of({"response": response})) == {"name": "text"}


# --- tools ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calling", "called"),
    [
        ({"mode": "ANY"}, "look_up"),
        ({"mode": "ANY", "allowedFunctionNames": ["add"]}, "add"),
        ({"mode": "NONE"}, None),
        ({"mode": "AUTO"}, None),
    ],
    ids=str,
)
async def test_which_tool_is_called(
    client: BatchClient, calling: Document, called: str | None
) -> None:
    request = asking("hello", tools=[TOOL], toolConfig={"functionCallingConfig": calling})

    (part,) = parts_of(await answer(client, request))

    assert part.get("functionCall", {}).get("name") == called


async def test_a_called_tool_is_answered_in_the_next_batch(client: BatchClient) -> None:
    question = {"role": "user", "parts": [{"text": "call the tool"}]}
    first = await answer(client, {"contents": [question], "tools": [TOOL]})
    (part,) = parts_of(first)
    call = part["functionCall"]
    function_response: Document = {"name": call["name"], "response": {"result": 4}}
    function_response |= {"id": call["id"]} if "id" in call else {}

    second = await answer(
        client,
        {
            "contents": [
                question,
                first["candidates"][0]["content"],
                {
                    "role": "user",
                    "parts": [{"functionResponse": function_response}, {"text": "And now?"}],
                },
            ],
            "tools": [TOOL],
        },
    )

    assert text_of({"response": second}) == "echo: And now?"


# --- thinking ------------------------------------------------------------------------------------


async def test_thoughts_are_shown_if_requested(client: BatchClient) -> None:
    thinking = {"thinkingBudget": 1024, "includeThoughts": True}

    response = await answer(
        client, configured("why?", thinkingConfig=thinking, maxOutputTokens=2048)
    )

    thought, answered = parts_of(response)
    assert (thought["thought"], thought["text"]) == (True, "thinking about: why?")
    assert answered["text"] == "echo: why?"
    assert response["usageMetadata"]["thoughtsTokenCount"] == 5


@pytest.mark.parametrize("text", ["call the tool", "call the tool, please redact"])
@pytest.mark.parametrize("shown", [True, False], ids=["shown", "omitted"])
async def test_thoughts_are_sent_back_with_their_tool_calls(
    client: BatchClient, shown: bool, text: str
) -> None:
    """Anthropic checks their signatures, and requires them before a tool call."""
    config = {
        "thinkingConfig": {"thinkingBudget": 1024, "includeThoughts": shown},
        "maxOutputTokens": 2048,
    }
    request = asking(text, tools=[TOOL], generationConfig=config)
    first = await answer(client, request)
    turn = first["candidates"][0]["content"]
    (call,) = [part["functionCall"] for part in turn["parts"] if "functionCall" in part]
    assert any("thoughtSignature" in part for part in turn["parts"])
    function_response: Document = {"name": call["name"], "response": {"result": 4}}
    function_response |= {"id": call["id"]} if "id" in call else {}
    contents = [
        *request["contents"],
        turn,
        {"role": "user", "parts": [{"functionResponse": function_response}, {"text": "And now?"}]},
    ]

    second = await answer(client, request | {"contents": contents})

    texts = [part.get("text") for part in parts_of(second) if not part.get("thought")]
    assert "echo: And now?" in texts


# --- media ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mime_type", "data", "shown"),
    [
        ("image/png", PIXEL, seen(PIXEL)),
        ("application/pdf", base64.b64encode(PDF).decode(), seen(base64.b64encode(PDF).decode())),
        ("text/plain", base64.b64encode("Zürich".encode()).decode(), "Zürich"),
    ],
)
async def test_media_in_the_request(
    client: BatchClient, mime_type: str, data: str, shown: str
) -> None:
    part = {"inlineData": {"mimeType": mime_type, "data": data}}

    response = await answer(client, {"contents": [{"parts": [part, {"text": "See:"}]}]})

    assert text_of({"response": response}) == f"echo: {shown}See:"


@pytest.mark.parametrize("named", ["name", "uri"])
@pytest.mark.parametrize(
    ("file_name", "mime_type"), [("a.pdf", "application/pdf"), ("a.png", "image/png")]
)
async def test_an_uploaded_file_in_the_request(
    client: BatchClient, anthropic: FakeClient, file_name: str, mime_type: str, named: str
) -> None:
    raw = {
        "X-Goog-Upload-Protocol": "raw",
        "X-Goog-Upload-File-Name": file_name,
        "Content-Type": mime_type,
    }
    file = (await client.call("POST", "upload/v1beta/files", PDF, raw)).ok["file"]
    part = {"fileData": {"fileUri": file[named], "mimeType": mime_type}}
    request = {"contents": [{"parts": [part, {"text": "Read it."}]}]}

    assert text_of({"response": await answer(client, request)}) == "echo: Read it."
    assert (await client.call("DELETE", f"v1beta/{file['name']}")).ok == {}
    refused = await client.create(inline({"request": request}))
    assert refused.error == INVALID
    assert "requests[0]" in refused.message
    assert len((await anthropic.objects())["batches"]) == 1
