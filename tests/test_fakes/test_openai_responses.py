"""OpenAI's own client reads the responses of the fake, whole and in events."""

from collections.abc import AsyncIterator
from typing import Any

import openai as openai_sdk
import pytest
from openai.types.responses import Response, ResponseFailedEvent, ResponseIncompleteEvent

from .conftest import Client

THINKER = "gpt-5"
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"place": {"type": "string"}}}
TOOLS: Any = [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}]


@pytest.fixture
async def sdk(openai: Client) -> AsyncIterator[openai_sdk.AsyncOpenAI]:
    address = str(openai.make_url("/v1"))
    async with openai_sdk.AsyncOpenAI(api_key="sk-one", base_url=address, max_retries=0) as sdk:
        yield sdk


def written(item: dict[str, Any]) -> list[str]:
    """What the model wrote of an item, piece by piece."""
    if "arguments" in item:
        return [item["arguments"]]
    parts = item.get("summary") or item.get("content", [])
    return [part.get("text") or part["refusal"] for part in parts]


async def test_the_client_joins_them_too(sdk: openai_sdk.AsyncOpenAI) -> None:
    async with sdk.responses.stream(model="gpt-4o-mini", input="hello") as stream:
        joined = await stream.get_final_response()
    assert joined.output_text == "echo: hello"


@pytest.mark.parametrize("model", ["gpt-4o-mini", THINKER])
@pytest.mark.parametrize("text", ["hello, this is a longer text", "call the tool", "please refuse"])
async def test_the_events_make_the_whole_answer(
    sdk: openai_sdk.AsyncOpenAI, model: str, text: str
) -> None:
    asked: Any = {"model": model, "input": text, "tools": TOOLS, "store": False}
    if model == THINKER:
        asked["reasoning"] = {"effort": "low", "summary": "auto"}
    whole = await sdk.responses.create(**asked)
    events: list[Any] = [event async for event in await sdk.responses.create(**asked, stream=True)]
    last = events[-1].response
    assert (last.output, last.usage, last.status) == (whole.output, whole.usage, "completed")
    ended = [event.item for event in events if event.type == "response.output_item.done"]
    assert ended == whole.output
    pieces = "".join(event.delta for event in events if event.type.endswith(".delta"))
    texts = [text for item in whole.output for text in written(item.to_dict())]
    assert pieces == "".join(texts)
    kinds = [item.type for item in whole.output]
    last = "function_call" if "tool" in text else "message"
    assert kinds == ["reasoning"] * (model == THINKER) + [last]


async def test_the_events_come_in_their_order(sdk: openai_sdk.AsyncOpenAI) -> None:
    reasoning: Any = {"effort": "low", "summary": "auto"}
    asked: Any = {"model": THINKER, "input": "hello", "reasoning": reasoning}
    stream = await sdk.responses.create(**asked, stream=True)
    events = [event async for event in stream]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type.removeprefix("response.") for event in events]
    once = list(dict.fromkeys(kinds))
    assert once == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "completed",
    ]


async def test_a_limit(sdk: openai_sdk.AsyncOpenAI) -> None:
    asked: Any = {"model": "gpt-4o-mini", "input": "word " * 40, "max_output_tokens": 16}
    for answer in (await sdk.responses.create(**asked), await joined_events(sdk, **asked)):
        assert answer.status == "incomplete"
        assert answer.incomplete_details is not None
        assert answer.incomplete_details.reason == "max_output_tokens"
    with pytest.raises(openai_sdk.BadRequestError, match="max_output_tokens"):
        await sdk.responses.create(**asked | {"max_output_tokens": 15})


async def joined_events(sdk: openai_sdk.AsyncOpenAI, **asked: Any) -> Response:
    events = [event async for event in await sdk.responses.create(**asked, stream=True)]
    last = events[-1]
    assert isinstance(last, ResponseIncompleteEvent | ResponseFailedEvent)
    return last.response


async def test_failures(sdk: openai_sdk.AsyncOpenAI) -> None:
    failed = await joined_events(sdk, model="gpt-4o-mini", input="fail midway")
    assert (failed.status, failed.error and failed.error.code) == ("failed", "server_error")
    stream = await sdk.responses.create(model="gpt-4o-mini", input="break midway", stream=True)
    last = [event async for event in stream][-1]
    assert last.type == "error"
    assert (last.code, last.message) == ("rate_limit_exceeded", "Rate limit reached midway.")


async def test_reasoning_comes_back_whole(sdk: openai_sdk.AsyncOpenAI) -> None:
    asked: Any = {"model": THINKER, "tools": TOOLS, "store": False}
    asked["reasoning"] = {"summary": "auto"}
    first = await sdk.responses.create(**asked, input="call the tool")
    thought, call = (item.to_dict(exclude_none=True) for item in first.output)
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    question = {"role": "user", "content": "call the tool"}
    history: Any = [question, thought, call, result]
    second = await sdk.responses.create(**asked, input=history)
    assert second.output_text == "echo: sunny"
    assert "I go on thinking" in str(second.output[0].to_dict())
    forged = thought | {"encrypted_content": "gAAAother"}
    half = {name: value for name, value in thought.items() if name != "encrypted_content"}
    for wrong in (
        [question, forged, call, result],
        [question, half, call, result],
        [question, call, result, thought],
    ):
        with pytest.raises(openai_sdk.BadRequestError):
            await sdk.responses.create(**asked, input=wrong)


@pytest.mark.parametrize(
    ("model", "wrong", "path"),
    [
        ("gpt-4o-mini", {"reasoning": {"effort": "low"}}, "reasoning.effort"),
        ("gpt-4o-mini", {"reasoning": {"summary": "auto"}}, "reasoning.summary"),
        (THINKER, {"temperature": 0.5}, "temperature"),
        ("gpt-4o-mini", {"stop": ["x"]}, "stop"),
        ("gpt-4o-mini", {"seed": 1}, "seed"),
        ("gpt-4o-mini", {"n": 1}, "n"),
        ("gpt-4o-mini", {"max_tokens": 20}, "max_tokens"),
        ("gpt-4o-mini", {"include": ["everything"]}, "include[0]"),
    ],
)
async def test_what_is_refused(
    openai: Client, model: str, wrong: dict[str, Any], path: str
) -> None:
    headers = {"Authorization": "Bearer sk-one"}
    body = {"model": model, "input": "hello", **wrong}
    async with openai.post("/v1/responses", json=body, headers=headers) as reply:
        error = (await reply.json())["error"]
    assert (reply.status, error["param"]) == (400, path)
