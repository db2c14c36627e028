from typing import Any

import pytest

from providers.errors import FerryError
from providers.openai.chat_from_openai import from_openai_chat


def _candidate(message: dict[str, Any], finish: Any = "stop") -> Any:
    choice = {"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish}
    (candidate,) = from_openai_chat({"choices": [choice]})["candidates"]
    return candidate


def test_a_whole_completion() -> None:
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-test-2026",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "4", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 7,
            "total_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 5},
        },
    }
    assert from_openai_chat(completion) == {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": "4"}]},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 10,
            "candidatesTokenCount": 2,
            "thoughtsTokenCount": 5,
            "cachedContentTokenCount": 2,
            "totalTokenCount": 17,
        },
        "modelVersion": "gpt-test-2026",
        "responseId": "chatcmpl-1",
        "createTime": "2023-11-14T22:13:20Z",
    }


def test_what_openai_does_not_say_is_left_out() -> None:
    assert from_openai_chat({"choices": []}) == {"candidates": []}


@pytest.mark.parametrize(
    ("native", "finish"),
    [
        ("stop", {"finishReason": "STOP"}),
        ("tool_calls", {"finishReason": "STOP"}),
        ("function_call", {"finishReason": "STOP"}),
        ("length", {"finishReason": "MAX_TOKENS"}),
        ("content_filter", {"finishReason": "SAFETY"}),
        ("bored", {"finishReason": "OTHER", "finishMessage": "bored"}),
        (None, {"finishReason": "OTHER"}),
        (["stop"], {"finishReason": "OTHER"}),
    ],
)
def test_finish_reasons(native: Any, finish: dict[str, str]) -> None:
    candidate = _candidate({"content": "Hi"}, native)
    assert {name: v for name, v in candidate.items() if name.startswith("finish")} == finish


@pytest.mark.parametrize("content", [None, ""])
def test_no_content_is_no_part(content: str | None) -> None:
    assert _candidate({"content": content})["content"] == {"role": "model", "parts": []}


def test_a_refusal() -> None:
    assert _candidate({"content": None, "refusal": "I will not."}) == {
        "content": {"role": "model", "parts": [{"text": "I will not."}]},
        "finishReason": "SAFETY",
        "finishMessage": "I will not.",
        "index": 0,
    }


def _call(arguments: Any, **fields: Any) -> dict[str, Any]:
    function = {"name": "f", "arguments": arguments}
    return {"id": "call_1", "type": "function", "function": function} | fields


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ({"tool_calls": [_call('{"a_b":[1]}')]}, {"id": "call_1", "args": {"a_b": [1]}}),
        ({"tool_calls": [_call("")]}, {"id": "call_1", "args": {}}),
        ({"function_call": {"name": "f", "arguments": "{}"}}, {"args": {}}),
    ],
)
def test_function_calls(message: dict[str, Any], call: dict[str, Any]) -> None:
    candidate = _candidate({"content": "Hm"} | message, "tool_calls")
    assert candidate["content"]["parts"] == [
        {"text": "Hm"},
        {"functionCall": {"name": "f"} | call},
    ]
    assert candidate["finishReason"] == "STOP"


@pytest.mark.parametrize(
    "arguments", ['{"a":', "[]", "1", '{"a":' * 150 + "1" + "}" * 150, "[" * 100_000]
)
def test_arguments_that_are_no_object(arguments: str) -> None:
    candidate = _candidate({"tool_calls": [_call(arguments)]}, "tool_calls")
    assert candidate["finishReason"] == "MALFORMED_FUNCTION_CALL"
    assert candidate["finishMessage"] == arguments
    assert candidate["content"]["parts"] == []


def test_several_choices() -> None:
    choices = [
        {"index": index, "message": {"content": text}, "finish_reason": "stop"}
        for index, text in [(1, "b"), (0, "a")]
    ]
    candidates = from_openai_chat({"choices": choices})["candidates"]
    assert [(c["index"], c["content"]["parts"][0]["text"]) for c in candidates] == [
        (1, "b"),
        (0, "a"),
    ]


def test_citations() -> None:
    source = {"start_index": 0, "end_index": 2, "url": "https://example.com", "title": "t"}
    annotations = [{"type": "url_citation", "url_citation": source}, {"type": "other"}]
    candidate = _candidate({"content": "Hi", "annotations": annotations})
    assert candidate["citationMetadata"] == {
        "citations": [{"startIndex": 0, "endIndex": 2, "uri": "https://example.com", "title": "t"}]
    }


def _token(token: str, logprob: float, *top: dict[str, Any]) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": [1], "top_logprobs": list(top)}


@pytest.mark.parametrize(
    ("tokens", "result"),
    [
        ([], None),
        (
            [_token("a", -1), _token("b", -2)],
            {
                "chosenCandidates": [
                    {"token": "a", "logProbability": -1},
                    {"token": "b", "logProbability": -2},
                ]
            },
        ),
        (
            [_token("a", -1, _token("c", -3))],
            {
                "chosenCandidates": [{"token": "a", "logProbability": -1}],
                "topCandidates": [{"candidates": [{"token": "c", "logProbability": -3}]}],
            },
        ),
    ],
)
def test_log_probabilities(tokens: list[dict[str, Any]], result: dict[str, Any] | None) -> None:
    choice = {"message": {"content": "a"}, "logprobs": {"content": tokens}}
    (candidate,) = from_openai_chat({"choices": [choice]})["candidates"]
    assert candidate.get("logprobsResult") == result
    if result is not None:
        assert candidate["avgLogprobs"] == sum(t["logprob"] for t in tokens) / len(tokens)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, "INTERNAL"),
        ({"choices": "none"}, "INTERNAL"),
        ({"choices": [1]}, "INTERNAL"),
        ({"choices": [{}]}, "INTERNAL"),
        ({"choices": [{"message": {"content": 1}}]}, "INTERNAL"),
        ({"choices": [{"message": {"tool_calls": [{"type": "function"}]}}]}, "INTERNAL"),
        ({"choices": [{"message": {"tool_calls": [_call(None)]}}]}, "INTERNAL"),
        (
            {"choices": [{"message": {"tool_calls": [{"type": "custom", "custom": {}}]}}]},
            "UNIMPLEMENTED",
        ),
        ({"choices": [{"message": {"audio": {"id": "a"}}}]}, "UNIMPLEMENTED"),
    ],
)
def test_what_is_no_answer_in_text(body: dict[str, Any], status: str) -> None:
    with pytest.raises(FerryError) as failed:
        from_openai_chat(body)
    assert failed.value.status == status
