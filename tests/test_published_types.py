"""`require_published` refuses what the types of the SDKs forbid."""

from typing import Any

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

from tests.published_types import require_published

_CHAT: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "a"},
        {"role": "user", "content": [{"type": "text", "text": "a"}]},
    ],
    "temperature": 1,
    "stop": ["a"],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"any": [None, 1.5]}}}],
}
_TEXT: dict[str, Any] = {"type": "text", "text": "a"}
_MESSAGE: dict[str, Any] = {
    "model": "m",
    "max_tokens": 1,
    "messages": [{"role": "user", "content": [_TEXT]}],
    "tools": [{"name": "f", "input_schema": {"type": "object", "any": 1}}],
}


def test_values_that_the_types_allow() -> None:
    require_published(_CHAT, CompletionCreateParamsNonStreaming)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"messages": "a"}, "$.messages"),
        ({"messages": [{"role": "model", "content": "a"}]}, "$.messages[0]"),
        ({"messages": [{"role": "user"}]}, "content is missing"),
        ({"messages": [{"role": "user", "content": "a", "parts": []}]}, "has no parts"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "text is missing"),
        ({"messages": [{"role": "user", "content": [_TEXT | {"x": 1}]}]}, "has no x"),
        ({"temperature": "1"}, "$.temperature"),
        ({"temperature": True}, "$.temperature"),
        ({"n": 1.5}, "$.n"),
        ({"stop": [1]}, "$.stop[0]"),
        ({"reasoning_effort": "huge"}, "$.reasoning_effort"),
        ({"topK": 1}, "has no topK"),
        ({"response_format": {"type": "json_schema"}}, "json_schema is missing"),
        ({"tools": [{"type": "function", "function": {}}]}, "name is missing"),
        ({"tool_choice": {"type": "allowed_tools"}}, "allowed_tools is missing"),
    ],
)
def test_values_that_openais_types_forbid(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(AssertionError) as failed:
        require_published(_CHAT | changes, CompletionCreateParamsNonStreaming)
    assert where in str(failed.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_tokens": None},
        {"temperature": 1},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]},
        {"messages": [{"role": "user", "content": [_TEXT | {"extra": 1}]}]},
        {"tools": [{"name": "f"}]},
        {"tool_choice": {"type": "required"}},
        {"thinking": {"type": "enabled"}},
    ],
)
def test_values_that_anthropics_types_forbid(changes: dict[str, Any]) -> None:
    require_published(_MESSAGE, MessageCreateParamsNonStreaming)
    with pytest.raises(AssertionError):
        require_published(_MESSAGE | changes, MessageCreateParamsNonStreaming)
