from typing import Any

import pytest

from providers.json_api.answer_shape import UnreadableAnswer
from providers.openai_content.chat_from_openai import from_openai_chat
from providers.status import Status
from providers.upstream import UpstreamError
from tests.test_providers.test_openai_content.chat_messages import call_of, candidate_of


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
    }


def test_fields_that_openai_omits_are_left_out() -> None:
    choice = {"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}
    assert set(from_openai_chat({"choices": [choice]})) == {"candidates"}


def test_an_answer_without_any_choice_is_unreadable() -> None:
    with pytest.raises(UnreadableAnswer, match="choices is empty"):
        from_openai_chat({"choices": []})


@pytest.mark.parametrize(
    ("native", "finish"),
    [
        ("stop", {"finishReason": "STOP"}),
        ("tool_calls", {"finishReason": "STOP"}),
        ("function_call", {"finishReason": "STOP"}),
        ("length", {"finishReason": "MAX_TOKENS"}),
        ("model_length", {"finishReason": "MAX_TOKENS"}),
        ("content_filter", {"finishReason": "SAFETY"}),
        # Of compatible servers.
        ("eos_token", {"finishReason": "STOP"}),
        ("stop_sequence", {"finishReason": "STOP"}),
        ("tool_use", {"finishReason": "STOP"}),
        ("max_tokens", {"finishReason": "MAX_TOKENS"}),
        ("end", {"finishReason": "STOP"}),
        ("incomplete", {"finishReason": "MAX_TOKENS"}),
        ("STOP", {"finishReason": "STOP"}),
        ("MAX_TOKENS", {"finishReason": "MAX_TOKENS"}),
        ("", {"finishReason": "OTHER"}),
        ("bored", {"finishReason": "OTHER", "finishMessage": "bored"}),
        (None, {"finishReason": "OTHER"}),
        (["stop"], {"finishReason": "OTHER"}),
    ],
)
def test_finish_reasons(native: Any, finish: dict[str, str]) -> None:
    candidate = candidate_of({"content": "Hi"}, native)
    assert {name: v for name, v in candidate.items() if name.startswith("finish")} == finish


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("thoughts", [True, False])
def test_reasoning_is_shown_if_thoughts_are_asked_for(name: str, thoughts: bool) -> None:
    """As vLLM, DeepSeek and OpenRouter write it; OpenAI does not."""
    choice = {"message": {"content": "Hi", name: "Hm"}, "finish_reason": "stop"}
    (candidate,) = from_openai_chat({"choices": [choice]}, thoughts=thoughts)["candidates"]
    thought = [{"text": "Hm", "thought": True}] if thoughts else []
    assert candidate["content"]["parts"] == [*thought, {"text": "Hi"}]


@pytest.mark.parametrize(("thoughts", "shown"), [(True, True), (False, False), (None, True)])
def test_thoughts_in_the_content_are_left_out_unasked(thoughts: bool | None, shown: bool) -> None:
    """As Mistral writes them. What a request of a batch asked for is not known."""
    content = [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Hi"}]
    choice = {"message": {"content": content}, "finish_reason": "stop"}
    (candidate,) = from_openai_chat({"choices": [choice]}, thoughts=thoughts)["candidates"]
    thought = [{"text": "Hm", "thought": True}] if shown else []
    assert candidate["content"]["parts"] == [*thought, {"text": "Hi"}]


@pytest.mark.parametrize("content", [None, ""])
def test_without_content_there_is_an_empty_text(content: str | None) -> None:
    candidate = candidate_of({"content": content}, "stop")
    assert candidate["content"] == {"role": "model", "parts": [{"text": ""}]}
    assert candidate["finishReason"] == "STOP"


def test_a_refusal() -> None:
    assert candidate_of({"content": None, "refusal": "I will not."}) == {
        "content": {"role": "model", "parts": [{"text": "I will not."}]},
        "finishReason": "SAFETY",
        "finishMessage": "I will not.",
        "index": 0,
    }


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ({"tool_calls": [call_of('{"a_b":[1]}')]}, {"id": "call_1", "args": {"a_b": [1]}}),
        ({"tool_calls": [call_of("")]}, {"id": "call_1", "args": {}}),
        ({"function_call": {"name": "f", "arguments": "{}"}}, {"args": {}}),
    ],
)
def test_function_calls(message: dict[str, Any], call: dict[str, Any]) -> None:
    candidate = candidate_of({"content": "Hm"} | message, "tool_calls")
    assert candidate["content"]["parts"] == [
        {"text": "Hm"},
        {"functionCall": {"name": "f"} | call},
    ]
    assert candidate["finishReason"] == "STOP"


@pytest.mark.parametrize("arguments", [None, "", {}, "{}"])
@pytest.mark.parametrize("form", ["tool_calls", "function_call"])
def test_a_call_without_arguments(arguments: Any, form: str) -> None:
    call = call_of(arguments)
    message = {form: [call] if form == "tool_calls" else call["function"]}
    (part,) = candidate_of({"content": None} | message, "tool_calls")["content"]["parts"]
    assert part["functionCall"]["args"] == {}
    del call["function"]["arguments"]
    (part,) = candidate_of({"content": None} | message, "tool_calls")["content"]["parts"]
    assert part["functionCall"]["args"] == {}


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ('{"a":', '{"a":'),
        ("[]", "[]"),
        ([1, "a"], '[1,"a"]'),
        (0, "0"),
        (False, "false"),
        ('{"a":' * 150 + "1" + "}" * 150, '{"a":' * 150 + "1" + "}" * 150),
        ("[" * 100_000, "[" * 8000 + "… (92000 more characters)"),
    ],
)
def test_arguments_that_are_not_an_object(arguments: Any, written: str) -> None:
    calls = [call_of(arguments), call_of('{"b":1}', id="call_2")]
    candidate = candidate_of({"content": "Hm", "tool_calls": calls}, "tool_calls")
    assert candidate["finishReason"] == "MALFORMED_FUNCTION_CALL"
    assert candidate["finishMessage"] == written
    assert candidate["content"]["parts"] == [
        {"text": "Hm"},
        {"functionCall": {"id": "call_2", "name": "f", "args": {"b": 1}}},
        {
            "text": "[genai-ferry] The model called the function 'f' with arguments that cannot be "
            f"read as a JSON object: {written}"
        },
    ]


def test_large_numbers_in_arguments_stay_exact() -> None:
    candidate = candidate_of({"tool_calls": [call_of(f'{{"n":{2**64 + 1}}}')]})
    (part,) = candidate["content"]["parts"]
    assert part["functionCall"]["args"] == {"n": 2**64 + 1}


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


_TEXT = "Zoë 😀 said it."


@pytest.mark.parametrize(
    ("source", "cited"),
    [
        ({"start_index": 0, "end_index": 3}, {"startIndex": 0, "endIndex": 4}),
        ({"start_index": 4, "end_index": 5}, {"startIndex": 5, "endIndex": 9}),
        ({"start_index": 6, "end_index": 14}, {"startIndex": 10, "endIndex": 18}),
        ({"start_index": 15, "end_index": 16}, {}),
        ({"start_index": 3, "end_index": 2}, {}),
        ({"start_index": "0", "end_index": 2}, {}),
        ({"start_index": -1, "end_index": 2}, {}),
        ({}, {}),
    ],
)
def test_citations_count_in_bytes(source: dict[str, Any], cited: dict[str, int]) -> None:
    page = source | {"url": "https://example.com", "title": "t"}
    for annotation in ({"type": "url_citation", "url_citation": page}, page):
        candidate = candidate_of({"content": _TEXT, "annotations": [annotation, {"type": "x"}]})
        assert candidate["content"]["parts"] == [{"text": _TEXT}]
        assert candidate["citationMetadata"] == {
            "citationSources": [cited | {"uri": "https://example.com"}]
        }
        if cited:
            text = _TEXT.encode()[cited["startIndex"] : cited["endIndex"]]
            assert text.decode() == _TEXT[page["start_index"] : page["end_index"]]


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
    ("native", "sentence"),
    [
        ("bored", "The provider ended the answer with the reason 'bored'."),
        ("content_filter", "The provider ended the answer with the reason 'content_filter'."),
        ("length", None),
        ("stop", None),
        (None, None),
    ],
)
def test_an_answer_without_content_has_a_reason(native: Any, sentence: str | None) -> None:
    parts = candidate_of({"content": None}, native)["content"]["parts"]
    assert parts == ([{"text": f"[genai-ferry] {sentence}"}] if sentence else [{"text": ""}])


@pytest.mark.parametrize("end", ["error", "abort", "network_error", "insufficient_system_resource"])
def test_an_answer_that_the_provider_broke_off_is_an_error(end: str) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": end}
    with pytest.raises(UpstreamError, match="broke the answer off") as failed:
        from_openai_chat({"choices": [choice]})
    assert failed.value.status is Status.UNAVAILABLE
    told = {"code": 429, "message": "Provider is busy"}
    with pytest.raises(UpstreamError, match="Provider is busy") as failed:
        from_openai_chat({"choices": [choice | {"error": told}]})
    assert failed.value.status is Status.RESOURCE_EXHAUSTED


def test_one_choice_that_was_broken_off_loses_no_other() -> None:
    choices = [
        {"index": number, "message": {"content": "Hi"}, "finish_reason": end}
        for number, end in enumerate(("error", "stop"))
    ]
    candidates = from_openai_chat({"choices": choices})["candidates"]
    assert [each["finishReason"] for each in candidates] == ["OTHER", "STOP"]


@pytest.mark.parametrize("choices", [{}, {"choices": None}, {"choices": []}])
def test_an_error_in_place_of_an_answer(choices: dict[str, Any]) -> None:
    """As OpenRouter writes it, with the HTTP status 200."""
    with pytest.raises(UpstreamError, match="No credits") as failed:
        from_openai_chat({**choices, "error": {"message": "No credits", "code": 429}})
    assert failed.value.status is Status.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("message", [{}, {"message": None}])
def test_an_end_without_a_message_is_an_empty_answer(message: dict[str, Any]) -> None:
    """As Google's server with this API writes it if all tokens went into thoughts."""
    answer = from_openai_chat({"choices": [{"index": 0, "finish_reason": "length", **message}]})
    (candidate,) = answer["candidates"]
    assert candidate["content"]["parts"] == [{"text": ""}]
    assert candidate["finishReason"] == "MAX_TOKENS"


@pytest.mark.parametrize(
    ("arguments", "args"),
    [("null", {}), (None, {}), ("", {}), ('"{\\"a\\":1}"', {"a": 1}), ({"a": 1}, {"a": 1})],
)
def test_arguments_as_compatible_servers_write_them(arguments: Any, args: dict[str, Any]) -> None:
    call = {"id": "", "type": "", "function": {"name": "f", "arguments": arguments}}
    candidate = candidate_of({"tool_calls": [call]}, "tool_calls")
    assert candidate["content"]["parts"] == [{"functionCall": {"name": "f", "args": args}}]


def test_an_image_in_an_answer_is_named() -> None:
    """OpenRouter writes images beside the text."""
    candidate = candidate_of({"content": "Hi", "images": [{"type": "image_url"}]}, "stop")
    said, note = candidate["content"]["parts"]
    assert said == {"text": "Hi"}
    assert "choices[0].message.images cannot be translated" in note["text"]
