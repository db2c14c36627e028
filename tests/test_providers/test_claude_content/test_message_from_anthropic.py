from typing import Any

import pytest

from providers.claude_content.message_from_anthropic import from_anthropic_message
from providers.claude_content.thought_signatures import thinking_block
from providers.errors import FerryError
from providers.status import Status
from providers.upstream import UpstreamError
from tests.test_providers.test_claude_content.translate import message, model_turn, user


def _answer(*blocks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return from_anthropic_message(
        {"type": "message", "role": "assistant", "content": list(blocks)} | fields
    )


def _parts(*blocks: dict[str, Any]) -> Any:
    return _answer(*blocks)["candidates"][0]["content"]["parts"]


_TEXT = {"type": "text", "text": "4", "citations": None}
_CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a_b": 1}}


def test_a_message() -> None:
    assert _answer(
        _TEXT,
        id="msg_1",
        model="claude-opus-4-6",
        stop_reason="end_turn",
        stop_sequence=None,
        usage={"input_tokens": 3, "output_tokens": 5, "service_tier": "batch"},
    ) == {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": "4"}]},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 3,
            "candidatesTokenCount": 5,
            "totalTokenCount": 8,
        },
        "modelVersion": "claude-opus-4-6",
        "responseId": "msg_1",
    }


def test_an_empty_message() -> None:
    assert _answer() == {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": ""}]},
                "finishReason": "OTHER",
                "index": 0,
            }
        ]
    }


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (_TEXT, {"text": "4"}),
        (_CALL, {"functionCall": {"id": "toolu_1", "name": "f", "args": {"a_b": 1}}}),
        (
            {"type": "tool_use", "name": "f", "input": {}},
            {"functionCall": {"name": "f", "args": {}}},
        ),
        ({"type": "thinking", "thinking": "Hm"}, {"text": "Hm", "thought": True}),
    ],
)
def test_parts(block: dict[str, Any], part: dict[str, Any]) -> None:
    assert _parts(block) == [part]


_THINKING = {"type": "thinking", "thinking": "Hm", "signature": "sig"}
_OMITTED = {"type": "thinking", "thinking": "", "signature": "sig"}
_REDACTED = {"type": "redacted_thinking", "data": "data"}


def test_visible_thinking_is_a_thought() -> None:
    thought, said = _parts(_THINKING, _TEXT)
    assert {name: thought[name] for name in ("text", "thought")} == {"text": "Hm", "thought": True}
    assert thinking_block(thought) == _THINKING
    assert said == {"text": "4"}


@pytest.mark.parametrize("thinking", [_OMITTED, _REDACTED])
@pytest.mark.parametrize("block", [_TEXT, _CALL])
def test_hidden_thinking_is_a_signature_on_the_next_part(
    thinking: dict[str, Any], block: dict[str, Any]
) -> None:
    """The Go SDK's chats forget an answer that has a part with only a signature."""
    (plain,) = _parts(block)
    (part,) = _parts(thinking, block)
    assert thinking_block(part) == thinking
    assert part == plain | {"thoughtSignature": part["thoughtSignature"]}


def test_each_hidden_thought_keeps_its_signature() -> None:
    parts = _parts(_REDACTED, _OMITTED, _THINKING, _TEXT)
    assert [thinking_block(part) for part in parts] == [_REDACTED, _OMITTED, _THINKING, None]


def test_an_empty_text_is_no_part_beside_others() -> None:
    """The Go SDK's chats forget an answer that has a part with an empty text."""
    empty = {"type": "text", "text": ""}
    assert _parts(empty, _TEXT, empty) == _parts(_TEXT)
    assert _parts(empty, empty) == [{"text": ""}]


@pytest.mark.parametrize("block", [_OMITTED, _REDACTED])
def test_hidden_thinking_alone_is_a_signature(block: dict[str, Any]) -> None:
    (part,) = _parts(block)
    assert set(part) == {"thoughtSignature"}
    assert thinking_block(part) == block


def test_empty_thinking_is_dropped() -> None:
    assert _parts({"type": "thinking", "thinking": "", "signature": ""}) == [{"text": ""}]


@pytest.mark.parametrize("thinking", [_THINKING, _OMITTED, _REDACTED])
def test_an_answer_is_sent_back_unchanged(thinking: dict[str, Any]) -> None:
    said = {"type": "text", "text": "4"}
    parts = _parts(thinking, said, _CALL)
    answer = {"functionResponse": {"id": "toolu_1", "name": "f", "response": {}}}
    contents = [user({"text": "Hello"}), model_turn(*parts), user(answer)]
    assert message(contents=contents)["messages"][1] == {
        "role": "assistant",
        "content": [thinking, said, _CALL],
    }


@pytest.mark.parametrize(
    "step",
    [
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "mcp_tool_use",
        "mcp_tool_result",
    ],
)
def test_intermediate_events_are_ignored(step: str) -> None:
    assert _parts({"type": step, "content": []}, _TEXT) == [{"text": "4"}]


@pytest.mark.parametrize(
    ("location", "uri"),
    [
        ({"type": "web_search_result_location", "url": "https://a.example"}, "https://a.example"),
        ({"type": "search_result_location", "source": "https://b.example"}, "https://b.example"),
        ({"type": "char_location", "document_index": 0, "start_char_index": 3}, None),
        ({"type": "page_location", "document_index": 0, "document_title": "A"}, None),
        ({"type": "content_block_location", "document_index": 0, "file_id": None}, None),
    ],
)
def test_citations_cover_their_block_in_bytes(location: Any, uri: str | None) -> None:
    said = {"type": "text", "text": "Zoë: "}
    cited = {"type": "text", "text": "é4", "citations": [location, location | {"title": "B"}]}
    step = {"type": "mcp_tool_result", "citations": [{"url": "https://c.example"}]}
    candidate = _answer(_THINKING, said, cited, said, step)["candidates"][0]
    source: dict[str, Any] = {"startIndex": 6, "endIndex": 9} | ({"uri": uri} if uri else {})
    assert candidate["citationMetadata"] == {"citationSources": [source]}
    assert "Zoë: é4Zoë: ".encode()[6:9].decode() == "é4"


@pytest.mark.parametrize(
    ("native", "finish"),
    [
        ("end_turn", {"finishReason": "STOP"}),
        ("stop_sequence", {"finishReason": "STOP"}),
        ("tool_use", {"finishReason": "STOP"}),
        ("max_tokens", {"finishReason": "MAX_TOKENS"}),
        ("model_context_window_exceeded", {"finishReason": "MAX_TOKENS"}),
        ("refusal", {"finishReason": "SAFETY"}),
        ("pause_turn", {"finishReason": "OTHER", "finishMessage": "pause_turn"}),
        ("new", {"finishReason": "OTHER", "finishMessage": "new"}),
        (None, {"finishReason": "OTHER"}),
        ([], {"finishReason": "OTHER"}),
    ],
)
def test_finish_reasons(native: Any, finish: dict[str, str]) -> None:
    (candidate,) = _answer(_TEXT, stop_reason=native)["candidates"]
    assert {name: candidate[name] for name in candidate if name.startswith("finish")} == finish


@pytest.mark.parametrize(
    ("details", "why", "sentence"),
    [
        (
            {"type": "refusal", "category": "cyber", "explanation": "It harms."},
            "It harms.",
            "The model refused to answer (category 'cyber'). The provider's explanation: It harms.",
        ),
        (
            {"type": "refusal", "explanation": "It harms."},
            "It harms.",
            "The model refused to answer. The provider's explanation: It harms.",
        ),
        (
            {"type": "refusal", "category": "bio", "explanation": None},
            "bio",
            "The model refused to answer (category 'bio').",
        ),
        (None, "refusal", "The provider ended the answer with the reason 'refusal'."),
        ("odd", "refusal", "The provider ended the answer with the reason 'refusal'."),
    ],
)
def test_the_reason_of_a_refusal(details: Any, why: str, sentence: str) -> None:
    (candidate,) = _answer(stop_reason="refusal", stop_details=details)["candidates"]
    assert candidate["finishReason"] == "SAFETY"
    assert candidate["finishMessage"] == why
    assert candidate["content"]["parts"] == [{"text": f"[genai-ferry] {sentence}"}]


def test_a_refusal_without_content_is_explained() -> None:
    details = {"explanation": "It harms."}
    body = {"content": None, "stop_reason": "refusal", "stop_details": details}
    (candidate,) = from_anthropic_message(body)["candidates"]
    assert "It harms." in candidate["content"]["parts"][-1]["text"]


def test_content_given_as_text() -> None:
    (candidate,) = from_anthropic_message({"content": "4", "stop_reason": "end_turn"})["candidates"]
    assert candidate["content"]["parts"] == [{"text": "4"}]


def test_a_refusal_in_the_middle_keeps_the_earlier_text() -> None:
    details = {"type": "refusal", "explanation": "It harms."}
    (candidate,) = _answer(_TEXT, stop_reason="refusal", stop_details=details)["candidates"]
    first, second = candidate["content"]["parts"]
    assert first == {"text": "4"}
    assert second["text"].endswith("The provider's explanation: It harms.")


@pytest.mark.parametrize(
    ("usage", "metadata"),
    [
        (
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 10,
                "cache_read_input_tokens": 100,
                "output_tokens": 7,
                "output_tokens_details": {"thinking_tokens": 3},
            },
            {
                "promptTokenCount": 111,
                "cachedContentTokenCount": 100,
                "candidatesTokenCount": 4,
                "thoughtsTokenCount": 3,
                "totalTokenCount": 118,
                "ferryCacheWriteTokenCount": 10,
            },
        ),
        (
            {"input_tokens": 1, "cache_read_input_tokens": None, "output_tokens_details": None},
            {"promptTokenCount": 1},
        ),
        (
            {"output_tokens": 2, "output_tokens_details": {"thinking_tokens": 3}},
            {"candidatesTokenCount": 0, "thoughtsTokenCount": 3},
        ),
        ({"input_tokens": -1, "output_tokens": True}, None),
        (
            {"input_tokens": 2**63 - 1, "output_tokens": 1},
            {"promptTokenCount": 2**63 - 1, "candidatesTokenCount": 1},
        ),
        (None, None),
        ({}, None),
    ],
)
def test_usage(usage: Any, metadata: Any) -> None:
    assert _answer(usage=usage).get("usageMetadata") == metadata


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (None, Status.INTERNAL),
        (["text"], Status.INTERNAL),
        ([{"type": "text"}], Status.INTERNAL),
        ([{"type": "tool_use", "input": {}}], Status.INTERNAL),
        ([{"type": "thinking"}], Status.INTERNAL),
        ([{"type": "redacted_thinking"}], Status.INTERNAL),
        ([{"type": "container_upload", "file_id": "file_1"}], Status.UNIMPLEMENTED),
        ([{}], Status.UNIMPLEMENTED),
    ],
)
def test_invalid_messages(content: Any, status: Status) -> None:
    with pytest.raises(FerryError) as refused:
        from_anthropic_message({"content": content})
    assert refused.value.status == status


@pytest.mark.parametrize("written", [{"input": None}, {"input": ""}, {"input": "{}"}, {}])
def test_a_call_without_arguments(written: dict[str, Any]) -> None:
    assert _parts({"type": "tool_use", "id": "t", "name": "f"} | written) == [
        {"functionCall": {"id": "t", "name": "f", "args": {}}}
    ]


def test_one_unreadable_member_affects_no_other() -> None:
    unread = "[genai-ferry] This part of the answer could not be read: "
    answer = _answer(
        {"type": "container_upload", "file_id": "file_1"},
        _TEXT,
        {"type": "text"},
        _CALL | {"input": [1]},
        _CALL,
        None,  # type: ignore[arg-type]
        {"type": "text", "text": "5", "citations": [3]},
        stop_reason="tool_use",
        usage=[],
    )
    (candidate,) = answer["candidates"]
    assert candidate["content"]["parts"] == [
        {"text": "4"},
        {"functionCall": {"id": "toolu_1", "name": "f", "args": {"a_b": 1}}},
        {"text": "5"},
        {"text": unread + "content[0] is of type 'container_upload', which is not translated"},
        {"text": unread + "content[2].text is not a string"},
        {
            "text": "[genai-ferry] The model called the function 'f' with arguments that cannot be "
            "read as a JSON object: [1]"
        },
        {"text": unread + "content[5] is not an object"},
        {"text": unread + "content[6].citations[0] is not an object"},
    ]
    assert (candidate["finishReason"], candidate["finishMessage"]) == (
        "MALFORMED_FUNCTION_CALL",
        "[1]",
    )


def test_an_error_in_place_of_an_answer() -> None:
    error = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}
    with pytest.raises(UpstreamError, match="slow down") as failed:
        from_anthropic_message(error)
    assert failed.value.status is Status.RESOURCE_EXHAUSTED
