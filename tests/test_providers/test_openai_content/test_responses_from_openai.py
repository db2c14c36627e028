from base64 import b64decode
from typing import Any

import pytest

from providers.errors import FerryError
from providers.openai_content.responses_from_openai import from_openai_response
from providers.status import Status


def _message(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": list(content)}


def _text(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []} | fields


def _candidate(*output: dict[str, Any], **fields: Any) -> Any:
    body = {"status": "completed", "output": list(output)} | fields
    (candidate,) = from_openai_response(body)["candidates"]
    return candidate


def test_reasoning_that_can_be_sent_back_is_signed() -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA"}
    texts = [{"type": "summary_text", "text": text} for text in ("Hm", "Yes")]
    first, second, third = _candidate(reasoning | {"summary": texts}, _message(_text("4")))[
        "content"
    ]["parts"]
    assert first == {"text": "Hm", "thought": True}
    assert (second["text"], third) == ("Yes", {"text": "4"})
    assert b64decode(second["thoughtSignature"]).endswith(b":rs_1:gAAA")
    (only,) = _candidate(reasoning | {"summary": []}, _message(_text("4")))["content"]["parts"]
    assert only == {"text": "4", "thoughtSignature": second["thoughtSignature"]}


def test_a_whole_response() -> None:
    response = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000.0,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "gpt-test-2026",
        "output": [
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "Hm"}],
            },
            _message(_text("4")),
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "call_1",
                "name": "f",
                "arguments": '{"a":1}',
                "status": "completed",
            },
        ],
        "usage": {
            "input_tokens": 10,
            "input_tokens_details": {"cached_tokens": 2},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 5},
            "total_tokens": 17,
        },
    }
    assert from_openai_response(response) == {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": "Hm", "thought": True},
                        {"text": "4"},
                        {"functionCall": {"id": "call_1", "name": "f", "args": {"a": 1}}},
                    ],
                },
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
        "responseId": "resp_1",
    }


@pytest.mark.parametrize(
    ("details", "finish"),
    [
        ({"reason": "max_output_tokens"}, {"finishReason": "MAX_TOKENS"}),
        ({"reason": "content_filter"}, {"finishReason": "SAFETY"}),
        ({"reason": "bored"}, {"finishReason": "OTHER", "finishMessage": "bored"}),
        (None, {"finishReason": "OTHER"}),
    ],
)
def test_incomplete_responses(details: Any, finish: dict[str, str]) -> None:
    candidate = _candidate(_message(_text("Hi")), status="incomplete", incomplete_details=details)
    assert {name: v for name, v in candidate.items() if name.startswith("finish")} == finish
    reason = "[genai-ferry] The provider ended the answer with the reason 'bored'."
    told = [{"text": reason}] if "finishMessage" in finish else []
    assert candidate["content"]["parts"] == [{"text": "Hi"}, *told]


def test_a_refusal() -> None:
    candidate = _candidate(_message({"type": "refusal", "refusal": "I will not."}))
    assert candidate["content"]["parts"] == [{"text": "I will not."}]
    assert candidate["finishReason"] == "SAFETY"
    assert candidate["finishMessage"] == "I will not."


def test_citations_and_log_probabilities() -> None:
    source = {"type": "url_citation", "start_index": 0, "end_index": 1, "url": "u", "title": "t"}
    token = {"token": "a", "logprob": -1.5, "top_logprobs": []}
    candidate = _candidate(
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        _message(_text("a", annotations=[source], logprobs=[token])),
    )
    assert candidate["content"]["parts"] == [{"text": "a"}]
    assert candidate["citationMetadata"]["citationSources"] == [
        {"startIndex": 0, "endIndex": 1, "uri": "u"}
    ]
    assert candidate["avgLogprobs"] == -1.5


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("server_error", Status.UNAVAILABLE),
        ("rate_limit_exceeded", Status.RESOURCE_EXHAUSTED),
        ("invalid_prompt", Status.INVALID_ARGUMENT),
    ],
)
def test_a_failed_response(code: str, status: Status) -> None:
    with pytest.raises(FerryError, match=r"^why$") as failed:
        from_openai_response({"status": "failed", "error": {"code": code, "message": "why"}})
    assert failed.value.status == status


@pytest.mark.parametrize(
    ("output", "status"),
    [
        ({"type": "custom_tool_call"}, Status.UNIMPLEMENTED),
        ({"type": "image_generation_call"}, Status.UNIMPLEMENTED),
        ({}, Status.UNIMPLEMENTED),
        (_message({"type": "output_audio"}), Status.UNIMPLEMENTED),
        ({"type": "message"}, Status.INTERNAL),
        (_message({"type": "output_text"}), Status.INTERNAL),
        ({"type": "function_call"}, Status.INTERNAL),
    ],
)
def test_output_that_is_not_translated(output: dict[str, Any], status: Status) -> None:
    with pytest.raises(FerryError) as failed:
        _candidate(output)
    assert failed.value.status == status


@pytest.mark.parametrize("status", ["in_progress", "queued", None, []])
def test_a_response_that_has_not_ended(status: Any) -> None:
    with pytest.raises(FerryError, match="has not ended"):
        _candidate(status=status)


@pytest.mark.parametrize("status", ["cancelled", "in_progress", None, []])
def test_a_response_that_has_not_ended_keeps_what_it_has(status: Any) -> None:
    candidate = _candidate(_message(_text("4")), status=status)
    said, *reasons = [part["text"] for part in candidate["content"]["parts"]]
    assert (said, candidate["finishReason"]) == ("4", "OTHER")
    assert all(repr(status) in reason for reason in reasons)
    assert len(reasons) == isinstance(status, str)


def test_a_message_given_as_text() -> None:
    candidate = _candidate({"type": "message", "content": "4"})
    assert candidate["content"]["parts"] == [{"text": "4"}]


def test_citations_count_from_the_candidates_first_text() -> None:
    cited = {"type": "url_citation", "start_index": 0, "end_index": 1, "url": "u"}
    in_container = {"type": "container_file_citation", "start_index": 1, "end_index": 2}
    of_a_file = {"type": "file_citation", "file_id": "file_1", "index": 0, "filename": "a.pdf"}
    candidate = _candidate(
        {"type": "reasoning", "summary": [{"text": "thoughts do not count"}]},
        _message(_text("é"), _text("aé", annotations=[cited, in_container, of_a_file])),
    )
    assert candidate["citationMetadata"]["citationSources"] == [
        {"startIndex": 2, "endIndex": 3, "uri": "u"},
        {"startIndex": 3, "endIndex": 5},
    ]


def test_one_unreadable_member_affects_no_other() -> None:
    unread = "[genai-ferry] This part of the answer could not be read: "
    candidate = _candidate(
        {"type": "image_generation_call", "result": "A" * 100_000},
        _message(_text("a"), {"type": "output_text"}, _text("b", annotations="odd")),
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": None},
    )
    assert candidate["content"]["parts"] == [
        {"text": "a"},
        {"text": "b"},
        {"functionCall": {"id": "c", "name": "f", "args": {}}},
        {"text": unread + "output[0] is of type 'image_generation_call', which is not translated"},
        {"text": unread + "output[1].content[1].text is not a string"},
        {"text": unread + "output[1].content[2].annotations is not a list"},
    ]
    assert candidate["finishReason"] == "STOP"


def test_one_unreadable_summary_affects_no_other() -> None:
    unread = "[genai-ferry] This part of the answer could not be read: output[0].summary"
    summaries = [{"text": "Hm"}, None, {"text": 5}, {"text": "So"}]
    candidate = _candidate({"type": "reasoning", "summary": summaries}, _message(_text("a")))
    assert candidate["content"]["parts"] == [
        {"text": "Hm", "thought": True},
        {"text": "So", "thought": True},
        {"text": "a"},
        {"text": f"{unread}[1] is not an object"},
        {"text": f"{unread}[2].text is not a string"},
    ]
