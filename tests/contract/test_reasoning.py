"""Reasoning of Mistral and of compatible servers is shown to a client that asks for thoughts.

It is then not reported as dropped.
"""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from providers.gemini_content.warnings import Warnings
from providers.openai.dialect import SERVER_DIALECT
from providers.openai.generate_api import GenerateApi
from providers.openai_content.body_to_openai import to_openai_body
from providers.openai_content.chat_from_openai import from_openai_chat
from providers.openai_content.chat_stream import ChatStream
from providers.resources import BatchKind, Prompt
from tests.contract.mistral_with_fake import MODEL as MISTRAL_MODEL
from tests.contract.mistral_with_fake import MistralWithFake, mistral_with_fake
from tests.contract.openai_with_fake import MODEL, OpenAIWithFake, openai_with_fake
from tests.contract.provider_with_fake import asking

MESSAGE = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm"}
CHOICES = [{"index": 0, "message": MESSAGE, "finish_reason": "stop", "logprobs": None}]


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIWithFake]:
    async with openai_with_fake() as work:
        await work.post("/_fake/settings", {"answer": {"choices": CHOICES}})
        yield work


@pytest.fixture
async def mistral() -> AsyncIterator[MistralWithFake]:
    async with mistral_with_fake() as work:
        yield work


async def parts(openai: OpenAIWithFake, **thinking: Any) -> list[dict[str, Any]]:
    request = asking("hello") | {"generationConfig": {"thinkingConfig": thinking}}
    prompts = openai.replica(generate_api=GenerateApi.CHAT, dialect=SERVER_DIALECT).prompts
    assert prompts is not None
    prompt = Prompt(MODEL, orjson.dumps(request))
    answer = await prompts.generate(openai.caller, prompt)
    assert answer.warnings == ""
    found: list[dict[str, Any]] = orjson.loads(answer.document)["candidates"][0]["content"]["parts"]
    return found


async def test_reasoning_is_a_thought(openai: OpenAIWithFake) -> None:
    assert await parts(openai, includeThoughts=True) == [
        {"text": "Hm", "thought": True},
        {"text": "Hi"},
    ]


@pytest.mark.parametrize("thinking", [{}, {"includeThoughts": False}])
async def test_reasoning_is_not_shown_unasked(
    openai: OpenAIWithFake, thinking: dict[str, bool]
) -> None:
    assert await parts(openai, **thinking) == [{"text": "Hi"}]


@pytest.mark.parametrize(("asked", "first"), [(True, True), (False, None)])
async def test_mistrals_thoughts(mistral: MistralWithFake, asked: bool, first: bool | None) -> None:
    thinking = {"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": asked}}
    request = asking("hello") | {"generationConfig": thinking}
    prompts = mistral.provider.prompts
    assert prompts is not None
    prompt = Prompt(MISTRAL_MODEL, orjson.dumps(request))
    answer = await prompts.generate(mistral.caller, prompt)
    shown = orjson.loads(answer.document)["candidates"][0]["content"]["parts"]
    stream = await prompts.stream(mistral.caller, prompt)
    chunks = [orjson.loads(chunk) async for chunk in stream.chunks]
    await stream.close()
    streamed = [part for one in chunks for part in one["candidates"][0]["content"]["parts"]]
    assert (shown[0].get("thought"), streamed[0].get("thought")) == (first, first)
    assert (answer.warnings, stream.warnings) == ("", "")


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
EXTRA = {"extra_content": {"google": {"thought_signature": "Sig="}}}
SIGNED = {"type": "reasoning.text", "text": "Hm", "signature": "Sig=", "index": 0}
# What the server wrote, whole and in pieces, and whether it is shown.
REASONED: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    (
        {"reasoning_content": "Hm", "tool_calls": [CALL]},
        [
            {"reasoning_content": "H", "content": None},
            {"reasoning_content": "m"},
            {"reasoning_content": None, "tool_calls": [{"index": 0, **CALL}]},
        ],
    ),
    (
        {"reasoning": "Hm", "reasoning_details": [SIGNED], "tool_calls": [CALL]},
        [
            {"reasoning": "H", "reasoning_details": [{**SIGNED, "text": "H", "signature": None}]},
            {"tool_calls": [{"index": 0, **CALL}]},
            {"reasoning": "m", "reasoning_details": [{**SIGNED, "text": "m", "signature": None}]},
            {
                "reasoning_details": [
                    {"type": "reasoning.text", "signature": "Sig=", "index": 0},
                ]
            },
        ],
    ),
    (
        {"reasoning": "Hm", "tool_calls": [CALL | EXTRA, CALL | {"id": "c2"} | EXTRA]},
        [
            {"reasoning": "H"},
            {"reasoning": "m"},
            # Google gives no index.
            {"tool_calls": [CALL | EXTRA]},
            {"tool_calls": [CALL | {"id": "c2"} | EXTRA]},
        ],
    ),
]


@pytest.mark.parametrize("shown", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("message", "deltas"), REASONED)
def test_reasoning_goes_back_with_a_call(
    message: dict[str, Any], deltas: list[dict[str, Any]], streamed: bool, shown: bool
) -> None:
    """Without it DeepSeek, Gemini and Claude refuse the result of a function."""
    if streamed:
        reader = ChatStream(thoughts=shown)
        chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
        said = [part for chunk in chunks for part in parts_of(reader, chunk)]
        said += [part for one in reader.end() for part in one["candidates"][0]["content"]["parts"]]
    else:
        choices = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
        answer = from_openai_chat({"choices": choices}, thoughts=shown)
        said = answer["candidates"][0]["content"]["parts"]
    assert "".join(part["text"] for part in said if part.get("thought")) == "Hm" * shown
    contents = [
        {"role": "user", "parts": [{"text": "hello"}]},
        {"role": "model", "parts": said},
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": call["id"], "name": "f", "response": {}}}
                for call in message["tool_calls"]
            ],
        },
    ]
    known = {name: value for name, value in message.items() if name != "reasoning"}
    assert sent_of(contents)[1] == {"role": "assistant"} | known


def sent_of(contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    request = {"contents": contents, "tools": [{"functionDeclarations": [{"name": "f"}]}]}
    body = to_openai_body(
        request,
        BatchKind.GENERATE,
        model=MODEL,
        path="",
        warnings=Warnings(),
        file_ids=lambda _uri, _path: None,
        dialect=SERVER_DIALECT,
    )
    messages: list[dict[str, Any]] = body["messages"]
    return messages


def parts_of(reader: ChatStream, chunk: dict[str, Any]) -> list[dict[str, Any]]:
    read = reader.read(orjson.dumps(chunk))
    return [part for one in read for part in one["candidates"][0]["content"]["parts"]]


@pytest.mark.parametrize("message", [{"reasoning": "Hm"}, {"reasoning_content": None}])
def test_other_reasoning_does_not_go_back(message: dict[str, Any]) -> None:
    """Groq writes `reasoning` and refuses it."""
    choice = {"message": {**message, "tool_calls": [CALL]}, "finish_reason": "tool_calls"}
    answer = from_openai_chat({"choices": [choice]}, thoughts=False)
    (part,) = answer["candidates"][0]["content"]["parts"]
    assert "thoughtSignature" not in part


@pytest.mark.parametrize(
    ("written", "others"),
    [
        ({"reasoning_content": "Hm"}, {"reasoning_content": ""}),
        ({"reasoning": "Hm", "reasoning_details": [SIGNED]}, {}),
        ({}, {}),
    ],
)
def test_every_message_has_reasoning_if_one_has(
    written: dict[str, Any], others: dict[str, Any]
) -> None:
    """DeepSeek refuses the next request if a message of the model has none, also an empty one."""
    choice = {"message": {**written, "tool_calls": [CALL]}, "finish_reason": "tool_calls"}
    called = from_openai_chat({"choices": [choice]}, thoughts=False)["candidates"][0]["content"]
    response = {"id": CALL["id"], "name": "f", "response": {}}
    said = {"role": "model", "parts": [{"text": "Hi"}]}
    asked = {"role": "user", "parts": [{"text": "hello"}]}
    answered = {"role": "user", "parts": [{"functionResponse": response}]}
    sent = sent_of([asked, said, asked, called, answered, said, asked])
    assert [message for message in sent if message["role"] == "assistant"] == [
        {"role": "assistant", "content": "Hi"} | others,
        {"role": "assistant", "tool_calls": [CALL]}
        | {name: value for name, value in written.items() if name != "reasoning"},
        {"role": "assistant", "content": "Hi"} | others,
    ]
