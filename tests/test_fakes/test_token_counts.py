"""The providers' own clients count tokens with the fakes."""

import asyncio
from typing import Any

import anthropic as anthropic_sdk
import openai as openai_sdk
import orjson
import pytest
from google import genai
from google.genai import types

from .conftest import Client
from .fake_bedrock_client import CLAUDE, FakeBedrockClient, refused, said

BARE = CLAUDE.removeprefix("us.")
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"place": {"type": "string"}}}


def address(client: Client) -> str:
    return str(client.make_url("")).rstrip("/")


async def test_openais_client(openai: Client) -> None:
    asked: Any = {
        "model": "gpt-4o-mini",
        "input": [
            {"role": "user", "content": "hello"},
            {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "sunny"},
            {"role": "assistant", "content": "It is sunny."},
        ],
    }
    tools: Any = [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}]
    async with openai_sdk.AsyncOpenAI(api_key="sk-one", base_url=f"{address(openai)}/v1") as sdk:
        one = await sdk.responses.input_tokens.count(**asked)
        other = await sdk.responses.input_tokens.count(**asked, tools=tools)
        with pytest.raises(openai_sdk.NotFoundError) as unknown:
            await sdk.responses.input_tokens.count(model="no-such-model", input="hello")
    assert 0 < one.input_tokens < other.input_tokens
    assert unknown.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"stream": True}, "stream"),
        ({"max_output_tokens": 100}, "max_output_tokens"),
        ({"messages": []}, "messages"),
        ({"input": []}, "input"),
        ({"input": [{"role": "tool", "content": "a"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": [{"type": "text"}]}]}, "input[0].content[0].type"),
        (
            {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "a"}]}]},
            "input[0].content[0].type",
        ),
        (
            {"input": [{"type": "function_call_output", "call_id": "c", "output": "a"}]},
            "input[0]",
        ),
        (
            {
                "input": [
                    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
                ]
            },
            "input",
        ),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "name": "f"}]}, "tools[0].parameters"),
        ({"response_format": {"type": "text"}}, "response_format"),
    ],
)  # fmt: skip
async def test_openai_refuses_what_is_no_such_request(
    openai: Client, wrong: dict[str, Any], path: str
) -> None:
    asked = {"model": "gpt-4o-mini", "input": "hello", **wrong}
    headers = {"Authorization": "Bearer sk-one"}
    async with openai.post("/v1/responses/input_tokens", json=asked, headers=headers) as reply:
        error = (await reply.json())["error"]
    assert (reply.status, error["param"]) == (400, path)


async def test_anthropics_client(anthropic: Client) -> None:
    asked: Any = {
        "model": "claude-haiku-4-5",
        "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}],
    }
    tools: Any = [{"name": "weather", "input_schema": SCHEMA}]
    key = "sk-ant-api03-one"
    async with anthropic_sdk.AsyncAnthropic(api_key=key, base_url=address(anthropic)) as sdk:
        one = await sdk.messages.count_tokens(**asked)
        other = await sdk.messages.count_tokens(**asked, tools=tools, system="be brief")
        for refused_option in ({"max_tokens": 10}, {"stream": False}, {"temperature": 1}):
            with pytest.raises(anthropic_sdk.BadRequestError, match="Unknown parameter"):
                await sdk.messages.count_tokens(**asked, extra_body=refused_option)
    assert 0 < one.input_tokens < other.input_tokens


def test_botocore(bedrock: FakeBedrockClient) -> None:
    count = bedrock.runtime.count_tokens
    one = count(modelId=BARE, input={"converse": said("hello")})["inputTokens"]
    system = said("hello") | {"system": [{"text": "be brief"}]}
    assert 0 < one < count(modelId=BARE, input={"converse": system})["inputTokens"]
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 10,
        "messages": [{"role": "user", "content": "hello"}],
    }
    assert count(modelId=BARE, input={"invokeModel": {"body": orjson.dumps(body)}})["inputTokens"]
    del body["max_tokens"]
    wrong = {"invokeModel": {"body": orjson.dumps(body)}}
    assert "max_tokens" in refused(count, modelId=BARE, input=wrong).message


@pytest.mark.parametrize("model", [CLAUDE, "amazon.nova-lite-v1:0"], ids=["a profile", "Nova"])
def test_bedrock_counts_for_claudes_models_only(bedrock: FakeBedrockClient, model: str) -> None:
    count = bedrock.runtime.count_tokens
    answer = refused(count, modelId=model, input={"converse": said("hello")})
    assert answer.code == "ValidationException"


async def test_googles_sdk(gemini: Client) -> None:
    options = types.HttpOptions(base_url=str(gemini.make_url("")))
    with genai.Client(api_key="AIzaOne", http_options=options) as sdk:
        count = sdk.models.count_tokens
        counted = await asyncio.to_thread(count, model="gemini-2.5-flash", contents="hello")
    assert counted.total_tokens
