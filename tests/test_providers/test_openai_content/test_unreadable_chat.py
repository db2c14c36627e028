"""Chat completions that cannot be read, or only in part."""

from typing import Any

import pytest

from providers.errors import FerryError
from providers.openai_content.chat_from_openai import from_openai_chat
from providers.status import Status
from tests.test_providers.test_openai_content.chat_messages import call_of, candidate_of


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, Status.INTERNAL),
        ({"choices": "none"}, Status.INTERNAL),
        ({"choices": [1]}, Status.INTERNAL),
        ({"choices": [{}]}, Status.INTERNAL),
        ({"choices": [{"message": {"content": 1}}]}, Status.INTERNAL),
        ({"choices": [{"message": {"tool_calls": [{"type": "function"}]}}]}, Status.INTERNAL),
        (
            {"choices": [{"message": {"tool_calls": [{"type": "custom", "custom": {}}]}}]},
            Status.UNIMPLEMENTED,
        ),
        ({"choices": [{"message": {"audio": {"id": "a"}}}]}, Status.UNIMPLEMENTED),
    ],
)
def test_answers_without_text(body: dict[str, Any], status: Status) -> None:
    with pytest.raises(FerryError) as failed:
        from_openai_chat(body)
    assert failed.value.status == status


def _unread(what: str) -> dict[str, str]:
    return {"text": f"[genai-ferry] This part of the answer could not be read: {what}"}


_CUSTOM = {"id": "call_2", "type": "custom", "custom": {"name": "f", "input": "x"}}


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"content": [{"type": "text", "text": "a"}, "b"]}, [{"text": "a"}, {"text": "b"}]),
        (
            {"content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}]},
            [
                {"text": "a"},
                _unread(
                    "choices[0].message.content[1] is of type 'image_url', which is not translated"
                ),
            ],
        ),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
                    {"type": "thinking", "thinking": "So"},
                    {"type": "output_text", "text": "a"},
                    {"text": "b"},
                ]
            },
            [
                {"text": "Hm", "thought": True},
                {"text": "So", "thought": True},
                {"text": "a"},
                {"text": "b"},
            ],
        ),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"text": "Hm"}, None, {"text": ", so"}]},
                    {"type": "text", "text": "a"},
                ]
            },
            [
                {"text": "Hm, so", "thought": True},
                {"text": "a"},
                _unread("choices[0].message.content[0].thinking[1] is not an object"),
            ],
        ),
        (
            {"content": [{"type": "refusal", "refusal": "No."}, {"type": "text"}]},
            [
                {"text": "No."},
                _unread("choices[0].message.content[1].text is not a string"),
            ],
        ),
        (
            {"content": "a", "tool_calls": [_CUSTOM, call_of("{}")]},
            [
                {"text": "a"},
                {"functionCall": {"id": "call_1", "name": "f", "args": {}}},
                _unread(
                    "choices[0].message.tool_calls[0] is of type 'custom', which is not translated"
                ),
            ],
        ),
        (
            {"content": "a", "tool_calls": [{"function": {"arguments": "{}"}}, None]},
            [
                {"text": "a"},
                _unread("choices[0].message.tool_calls[0].function.name is not a string"),
                _unread("choices[0].message.tool_calls[1] is not an object"),
            ],
        ),
        (
            {"content": "a", "tool_calls": [{"function": {"name": "", "arguments": "{}"}}]},
            [
                {"text": "a"},
                _unread("choices[0].message.tool_calls[0].function.name is empty"),
            ],
        ),
        (
            {"content": "a", "tool_calls": "x"},
            [{"text": "a"}, _unread("choices[0].message.tool_calls is not a list")],
        ),
        (
            {"content": "a", "audio": {"id": "audio_1"}},
            [
                {"text": "a"},
                _unread("choices[0].message.audio cannot be translated: only text is supported"),
            ],
        ),
        (
            {"content": "a", "refusal": 5},
            [{"text": "a"}, _unread("choices[0].message.refusal is not a string")],
        ),
        (
            {"content": "a", "annotations": [None]},
            [{"text": "a"}, _unread("choices[0].message.annotations[0] is not an object")],
        ),
    ],
)
def test_one_unreadable_member_affects_no_other(
    message: dict[str, Any], parts: list[dict[str, Any]]
) -> None:
    assert candidate_of(message)["content"]["parts"] == parts


def test_an_unreadable_choice_affects_no_other() -> None:
    choices = [{"message": {"content": "a"}, "finish_reason": "stop"}, None]
    first, second = from_openai_chat({"choices": choices})["candidates"]
    assert first["content"]["parts"] == [{"text": "a"}]
    assert second["content"]["parts"] == [_unread("choices[1] is not an object")]


def test_unreadable_numbers_do_not_affect_the_text() -> None:
    choice = {
        "message": {"content": "a"},
        "finish_reason": "stop",
        "logprobs": {"content": [{"token": "a", "logprob": None}]},
    }
    answer = from_openai_chat({"choices": [choice], "usage": "odd"})
    (candidate,) = answer["candidates"]
    assert candidate["content"]["parts"] == [
        {"text": "a"},
        _unread("choices[0].logprobs.content[0].logprob is not a number"),
    ]
    assert answer.keys() == {"candidates"}
