from typing import Any

import orjson
import pytest

from providers.claude_content.message_stream import MessageStream
from providers.claude_content.thought_signatures import (
    render_redacted_thinking,
    render_thinking_signature,
)
from providers.status import Status
from providers.upstream import UpstreamError

START = {
    "type": "message_start",
    "message": {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 3, "output_tokens": 1}},
}


def begin(block: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(kind: str, index: int = 0, **members: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **members}}


def finish(reason: str = "end_turn", details: Any = None) -> list[dict[str, Any]]:
    ended = {"stop_reason": reason, "stop_sequence": None, "stop_details": details}
    return [
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]


def chunks_of(*events: dict[str, Any]) -> list[dict[str, Any]]:
    stream = MessageStream()
    read = [chunk for event in events for chunk in stream.read(orjson.dumps(event))]
    return read + list(stream.end())


def parts_of(*events: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for one in chunks_of(*events) for part in one["candidates"][0]["content"]["parts"]]


TEXT = begin({"type": "text", "text": ""})


def test_a_text() -> None:
    said = chunks_of(
        START,
        {"type": "ping"},
        TEXT,
        delta("text_delta", text="Hel"),
        delta("text_delta", text="lo"),
        {"type": "content_block_stop", "index": 0},
        {"type": "something_newer"},
        *finish(),
    )
    texts = [one["candidates"][0]["content"]["parts"] for one in said]
    assert texts == [[{"text": "Hel"}], [{"text": "lo"}], [{"text": ""}]]
    assert {(one["modelVersion"], one["responseId"]) for one in said} == {("claude", "msg_1")}
    assert said[-1]["candidates"][0]["finishReason"] == "STOP"
    assert said[-1]["usageMetadata"] == {
        "promptTokenCount": 3,
        "candidatesTokenCount": 7,
        "totalTokenCount": 10,
    }


def test_a_thought_and_its_signature_are_one_part() -> None:
    said = parts_of(
        START,
        begin({"type": "thinking", "thinking": "", "signature": ""}),
        delta("thinking_delta", thinking="Hm, "),
        delta("thinking_delta", thinking="yes"),
        delta("signature_delta", signature="S"),
        TEXT,
        delta("text_delta", text="Hi"),
        *finish(),
    )
    assert said == [
        {"text": "Hm, ", "thought": True},
        {"text": "yes", "thought": True, "thoughtSignature": render_thinking_signature("S")},
        {"text": "Hi"},
        {"text": ""},
    ]


@pytest.mark.parametrize("deltas", [[], [delta("thinking_delta", thinking=", yes")]])
def test_a_signature_at_the_start_of_a_thought(deltas: list[dict[str, Any]]) -> None:
    """As some servers with this API write it."""
    *_, signed, said, _ = parts_of(
        START,
        begin({"type": "thinking", "thinking": "Hm", "signature": "S"}),
        *deltas,
        {"type": "content_block_stop", "index": 0},
        TEXT,
        delta("text_delta", text="Hi"),
        *finish(),
    )
    assert signed["thoughtSignature"] == render_thinking_signature("S")
    assert (signed["thought"], said) == (True, {"text": "Hi"})


def test_the_signature_of_a_thought_that_is_not_shown() -> None:
    said = parts_of(
        START,
        begin({"type": "thinking", "thinking": "", "signature": ""}),
        delta("signature_delta", signature="S"),
        begin({"type": "tool_use", "id": "t1", "name": "f", "input": {}}, 1),
        *finish("tool_use"),
    )
    call = {"functionCall": {"id": "t1", "name": "f", "args": {}}}
    assert said == [call | {"thoughtSignature": render_thinking_signature("S")}]


def test_a_redacted_thought() -> None:
    said = parts_of(
        START,
        begin({"type": "redacted_thinking", "data": "D"}),
        TEXT,
        delta("text_delta", text="Hi"),
        *finish(),
    )
    assert said[0] == {"text": "Hi", "thoughtSignature": render_redacted_thinking("D")}


def test_calls_in_pieces() -> None:
    said = parts_of(
        START,
        begin({"type": "tool_use", "id": "t1", "name": "f", "input": {}}, 0),
        delta("input_json_delta", 0, partial_json=""),
        delta("input_json_delta", 0, partial_json='{"a"'),
        begin({"type": "tool_use", "id": "t2", "name": "g", "input": {}}, 1),
        delta("input_json_delta", 0, partial_json=":1}"),
        *finish("tool_use"),
    )
    assert said == [
        {"functionCall": {"id": "t1", "name": "f", "args": {"a": 1}}},
        {"functionCall": {"id": "t2", "name": "g", "args": {}}},
    ]


def test_the_input_of_a_call_in_one_piece() -> None:
    """Anthropic begins with an empty one, and some compatible servers write it at once."""
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    said = chunks_of(START, begin(use), *finish("tool_use"))
    (part,) = said[-1]["candidates"][0]["content"]["parts"]
    assert part == {"functionCall": {"id": "t", "name": "f", "args": {"a": 1}}}


def test_a_refusal_after_text_says_why() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "not that"}
    said = chunks_of(START, TEXT, delta("text_delta", text="Hi"), *finish("refusal", details))
    last = said[-1]["candidates"][0]
    assert last["finishReason"] == "SAFETY"
    assert "not that" in "".join(part["text"] for part in last["content"]["parts"])


def test_a_stream_that_ends_too_early_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="ended before"):
        chunks_of(START, TEXT, delta("text_delta", text="Hi"), finish()[0])


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("overloaded_error", Status.UNAVAILABLE),
        ("api_error", Status.UNAVAILABLE),
        ("rate_limit_error", Status.RESOURCE_EXHAUSTED),
        ("timeout_error", Status.DEADLINE_EXCEEDED),
        ("invalid_request_error", Status.INVALID_ARGUMENT),
        ("billing_error", Status.FAILED_PRECONDITION),
        ("new_error", Status.UNAVAILABLE),
    ],
)
def test_an_error_in_the_stream(kind: str, status: Status) -> None:
    with pytest.raises(UpstreamError) as failed:
        chunks_of(START, {"type": "error", "error": {"type": kind, "message": "why"}})
    assert (failed.value.status, failed.value.message) == (status, "why")


def test_a_spend_limit_in_the_stream_is_not_to_be_retried() -> None:
    details = {"error_code": "enforced_spend_limit_reached"}
    error = {"type": "rate_limit_error", "message": "till May", "details": details}
    with pytest.raises(UpstreamError, match="till May") as failed:
        chunks_of(START, {"type": "error", "error": error})
    assert failed.value.status is Status.FAILED_PRECONDITION


def test_a_piece_of_no_call_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="before the call"):
        chunks_of(START, delta("input_json_delta", partial_json="{}"))


def test_only_known_counts_are_kept() -> None:
    """A stream may name any number of them."""
    stream = MessageStream()
    more = ({"type": "message_delta", "usage": {f"more-{n}": 1}} for n in range(1000))
    for event in (START, *more, {"type": "message_delta", "usage": {"output_tokens": 7}}):
        assert not list(stream.read(orjson.dumps(event)))
    assert set(stream._usage) == {"input_tokens", "output_tokens"}
