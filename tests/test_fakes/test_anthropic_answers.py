"""What the fake Claude answers: text, documents, tool calls and signed thinking."""

import base64
from typing import Any

import pytest

from .conftest import Client
from .test_anthropic_requests import (
    CLOSED,
    RECENT,
    TEXT,
    THINK,
    TOOL,
    claude,
    error_of,
    message_of,
    one,
    result,
    use,
    user,
)


@pytest.mark.parametrize(
    ("changes", "content", "stop"),
    [
        ({}, [{"type": "text", "text": "echo: hi"}], "end_turn"),
        ({"max_tokens": 1}, [{"type": "text", "text": "echo:"}], "max_tokens"),
        ({"max_tokens": 0}, [], "max_tokens"),
        ({"stop_sequences": ["i", " h"]}, [{"type": "text", "text": "echo:"}], "stop_sequence"),
        ({"text": "please refuse"}, [], "refusal"),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": CLOSED}}},
            [{"type": "text", "text": '{"a":"text"}'}],
            "end_turn",
        ),
        (
            {"messages": [user("x"), claude(use()), user(result(), TEXT | {"text": "done"})]},
            [{"type": "text", "text": "echo: done"}],
            "end_turn",
        ),
    ],
)
async def test_answers_derive_from_the_request(
    anthropic: Client, changes: dict[str, Any], content: list[Any], stop: str
) -> None:
    message = message_of(await one(anthropic, **changes))
    assert (message["content"], message["stop_reason"]) == (content, stop)
    assert (message["type"], message["role"]) == ("message", "assistant")
    assert (message["stop_details"] is not None) == (stop == "refusal")
    assert (message["stop_sequence"] is not None) == (stop == "stop_sequence")
    assert message["usage"]["service_tier"] == "batch"


@pytest.mark.parametrize(
    "changes",
    [
        {"tool_choice": {"type": "any"}},
        {"tool_choice": {"type": "tool", "name": "g"}},
        {"text": "call the tool"},
        {"text": "call the tool", "tool_choice": {"type": "none"}},
    ],
)
async def test_a_tool_is_called(anthropic: Client, changes: dict[str, Any]) -> None:
    message = message_of(await one(anthropic, tools=[TOOL, TOOL | {"name": "g"}], **changes))
    choice = changes.get("tool_choice", {})
    if choice.get("type") == "none":
        assert message["stop_reason"] == "end_turn"
        return
    (block,) = message["content"]
    assert block.pop("id").startswith("toolu_")
    assert block == {"type": "tool_use", "name": choice.get("name", "f"), "input": {"a": "text"}}
    assert message["stop_reason"] == "tool_use"


@pytest.mark.parametrize("display", ["summarized", "omitted"])
async def test_thinking_comes_back_as_it_was_given(anthropic: Client, display: str) -> None:
    thinking = {"type": "adaptive", "display": display}
    asked: dict[str, Any] = {"model": RECENT, "thinking": thinking}
    message = message_of(await one(anthropic, **asked))
    block, text = message["content"]
    assert block["type"] == "thinking"
    assert block["thinking"] == ("thinking about: hi" if display == "summarized" else "")
    assert base64.b64decode(block["signature"], validate=True)
    assert message["usage"]["output_tokens_details"]["thinking_tokens"] > 0
    turns = [user("hi"), claude(block, text), user("more")]
    message_of(await one(anthropic, messages=turns, **asked))
    turns[1] = claude(block | {"thinking": "changed"}, text)
    assert "signature" in error_of(await one(anthropic, messages=turns, **asked))[1]


async def test_redacted_thinking(anthropic: Client) -> None:
    asked: dict[str, Any] = {"thinking": THINK, "max_tokens": 2000}
    content = message_of(await one(anthropic, text="please redact", **asked))["content"]
    assert content[0]["type"] == "redacted_thinking"
    turns = [user("hi"), claude(*content), user("more")]
    message_of(await one(anthropic, messages=turns, **asked))
    turns[1] = claude({"type": "redacted_thinking", "data": "AAAA"})
    assert "redacted_thinking" in error_of(await one(anthropic, messages=turns, **asked))[1]
