"""The providers' own clients read the fakes' streams."""

import hashlib
from typing import Any

import anthropic as anthropic_sdk
import openai as openai_sdk
import pytest
from mistralai.client import Mistral

from .conftest import Client
from .fake_bedrock_client import FakeBedrockClient

CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"place": {"type": "string"}}}
FUNCTION: Any = {"name": "weather", "parameters": SCHEMA}
TOOLS: Any = [{"type": "function", "function": FUNCTION}]
TOOL_SPEC: Any = {"toolSpec": {"name": "weather", "inputSchema": {"json": SCHEMA}}}
TEXTS = ["hello, this is a longer text", "call the tool", "please refuse"]


def address(client: Client) -> str:
    return str(client.make_url("")).rstrip("/")


def asking(text: str) -> Any:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("text", TEXTS)
async def test_openais_client_joins_the_chunks_to_the_whole_answer(
    openai: Client, text: str
) -> None:
    async with openai_sdk.AsyncOpenAI(api_key="sk-one", base_url=f"{address(openai)}/v1") as sdk:
        asked: Any = {"model": "gpt-4o-mini", "messages": asking(text), "tools": TOOLS}
        whole = await sdk.chat.completions.create(**asked)
        async with sdk.chat.completions.stream(
            **asked, stream_options={"include_usage": True}
        ) as stream:
            joined = await stream.get_final_completion()
    assert joined.usage == whole.usage
    (one,), (other,) = whole.choices, joined.choices
    assert one.finish_reason == other.finish_reason
    assert (one.message.content or "") == (other.message.content or "")
    assert (one.message.refusal or "") == (other.message.refusal or "")
    calls = [
        (call.id, call.model_dump()["function"]["name"]) for call in one.message.tool_calls or ()
    ]
    joined_calls = [(call.id, call.function.name) for call in other.message.tool_calls or ()]
    assert calls == joined_calls


async def test_openai_counts_only_if_asked(openai: Client) -> None:
    async with openai_sdk.AsyncOpenAI(api_key="sk-one", base_url=f"{address(openai)}/v1") as sdk:
        stream = await sdk.chat.completions.create(
            model="gpt-4o-mini", messages=asking("hello"), stream=True
        )
        assert [chunk.usage async for chunk in stream if chunk.usage] == []


@pytest.mark.parametrize("text", [*TEXTS, "please think"])
async def test_anthropics_client_joins_the_events_to_the_whole_message(
    anthropic: Client, text: str
) -> None:
    asked: Any = {
        "model": "claude-haiku-4-5",
        "max_tokens": 4000,
        "messages": asking(text),
        "tools": [{"name": "weather", "input_schema": SCHEMA}],
    }
    if text == "please think":
        asked["thinking"] = {"type": "enabled", "budget_tokens": 2000}
    key = "sk-ant-api03-one"
    async with anthropic_sdk.AsyncAnthropic(api_key=key, base_url=address(anthropic)) as sdk:
        whole = await sdk.messages.create(**asked)
        async with sdk.messages.stream(**asked) as stream:
            joined = await stream.get_final_message()
    assert [block.to_dict() for block in joined.content] == [
        block.to_dict() for block in whole.content
    ]
    assert joined.stop_reason == whole.stop_reason
    assert joined.usage.output_tokens == whole.usage.output_tokens


@pytest.mark.parametrize("text", TEXTS[:2])
async def test_mistrals_client_reads_the_chunks(mistral: Client, text: str) -> None:
    async with Mistral(api_key="a" * 32, server_url=address(mistral)) as sdk:
        stream = await sdk.chat.stream_async(
            model="mistral-small-latest", messages=asking(text), tools=TOOLS
        )
        chunks = [event.data async for event in stream]
    assert chunks[-1].usage is not None
    assert chunks[-1].choices[0].finish_reason in ("stop", "tool_calls")


@pytest.mark.parametrize("text", TEXTS)
def test_botocore_reads_the_events(bedrock: FakeBedrockClient, text: str) -> None:
    asked: Any = {
        "modelId": CLAUDE,
        "messages": [{"role": "user", "content": [{"text": text}]}],
        "toolConfig": {
            "tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": SCHEMA}}}]
        },
    }
    whole = bedrock.runtime.converse(**asked)
    events = list(bedrock.runtime.converse_stream(**asked)["stream"])
    kinds = [kind for event in events for kind in event]
    assert (kinds[0], kinds[-2:]) == ("messageStart", ["messageStop", "metadata"])
    assert events[-2]["messageStop"]["stopReason"] == whole["stopReason"]
    assert events[-1]["metadata"]["usage"] == whole["usage"]
    deltas = [each["contentBlockDelta"]["delta"] for each in events if "contentBlockDelta" in each]
    said = "".join(each.get("text", "") for each in deltas)
    blocks = whole["output"]["message"]["content"]
    assert said == "".join(block.get("text", "") for block in blocks)


async def written(client: Client, path: str, body: Any, headers: dict[str, str]) -> int:
    """Posts `body`, and returns how often the fake wrote to the stream."""
    async with client.post(path, json=body, headers=headers) as reply:
        assert reply.status == 200
        chunks = [data async for data, complete in reply.content.iter_chunks() if complete]
    return len(chunks)


async def test_each_event_is_written_by_itself(anthropic: Client) -> None:
    body = {
        "model": "claude-haiku-4-5",
        "max_tokens": 100,
        "stream": True,
        "messages": asking("hello"),
    }
    # The start, a ping, the block's start, three pieces, its stop, the delta and the stop.
    assert await written(anthropic, "/v1/messages", body, {}) == 9


GEMINI = "/v1beta/models/gemini-2.5-flash"
TURN: Any = {"role": "user", "parts": [{"text": "call the tool"}]}
GEMINI_TOOLS: Any = [{"functionDeclarations": [{"name": "weather", "parameters": SCHEMA}]}]


async def gemini_parts(gemini: Client, contents: list[Any], **fields: Any) -> list[Any]:
    body = {"contents": contents, **fields}
    async with gemini.post(f"{GEMINI}:generateContent", json=body) as reply:
        document = await reply.json()
        assert reply.status == 200, document
    parts: list[Any] = document["candidates"][0]["content"]["parts"]
    return parts


async def test_geminis_stream_is_a_list_without_alt(gemini: Client) -> None:
    body = {"contents": [{"parts": [{"text": "a b"}]}]}
    async with gemini.post(f"{GEMINI}:streamGenerateContent", json=body) as reply:
        chunks = await reply.json()
    texts = [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in chunks]
    assert texts == ["echo:", " a b", ""]
    assert chunks[-1]["candidates"][0]["finishReason"] == "STOP"


async def test_gemini_answers_after_a_function_did(gemini: Client) -> None:
    [call] = await gemini_parts(gemini, [TURN], tools=GEMINI_TOOLS)
    assert call["functionCall"] == {"name": "weather", "args": {"place": "text"}}
    answer = {"functionResponse": {"name": "weather", "response": {"result": "sunny"}}}
    contents = [TURN, {"role": "model", "parts": [call]}, {"role": "user", "parts": [answer]}]
    assert await gemini_parts(gemini, contents, tools=GEMINI_TOOLS) == [
        {"text": 'echo: {"result":"sunny"}'}
    ]


CALL: Any = {"functionCall": {"name": "weather", "args": {"place": "text"}}}
RESPONSE: Any = {"functionResponse": {"name": "weather", "response": {}}}


@pytest.mark.parametrize(
    ("call", "answers", "words"),
    [
        (CALL, [], "equal to the number"),
        (CALL, [RESPONSE, RESPONSE], "equal to the number"),
        ({"text": "no call"}, [RESPONSE], "immediately after a function call turn"),
        (CALL | {"thoughtSignature": "AAAA"}, [RESPONSE], "signature is not valid"),
    ],
)
async def test_what_gemini_refuses_of_calls(
    gemini: Client, call: Any, answers: list[Any], words: str
) -> None:
    contents = [
        TURN,
        {"role": "model", "parts": [call]},
        {"role": "user", "parts": [*answers, {"text": "and?"}]},
    ]
    body = {"contents": contents, "tools": GEMINI_TOOLS}
    async with gemini.post(f"{GEMINI}:generateContent", json=body) as reply:
        assert reply.status == 400
        assert words in (await reply.json())["error"]["message"]


async def test_gemini_shows_its_thoughts_if_asked(gemini: Client) -> None:
    config = {"thinkingConfig": {"includeThoughts": True}}
    parts = await gemini_parts(gemini, [TURN], generationConfig=config)
    assert parts == [
        {"text": "thinking about: call the tool", "thought": True},
        {"text": "echo: call the tool"},
    ]


async def test_an_image_is_echoed_as_its_hash(gemini: Client) -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "-_8="}}
    [part] = await gemini_parts(gemini, [{"parts": [{"text": "see "}, image]}])
    assert part["text"] == f"echo: see [{hashlib.sha256(bytes([0xFB, 0xFF])).hexdigest()[:12]}]"
