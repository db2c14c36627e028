from base64 import b64encode
from typing import Any

import orjson
import pytest

from providers.bedrock.content.converse_stream import ClaudeStream, ConverseStream, Event
from providers.claude_content.thought_signatures import (
    render_redacted_thinking,
    render_thinking_signature,
)
from providers.json_api.answer_shape import UnreadableAnswer
from providers.upstream import UpstreamError

USAGE = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}


def chunks_of(*events: Event, thoughts: bool = True) -> list[dict[str, Any]]:
    stream = ConverseStream("m", "r1", thoughts=thoughts)
    read = [chunk for event in events for chunk in stream.read(event)]
    return read + list(stream.end())


def parts_of(*events: Event, thoughts: bool = True) -> list[dict[str, Any]]:
    chunks = chunks_of(*events, thoughts=thoughts)
    return [part for one in chunks for part in one["candidates"][0]["content"]["parts"]]


def delta(index: int = 0, **members: Any) -> Event:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": members, "p": "abc"}


def stop(reason: str = "end_turn") -> Event:
    return "messageStop", {"stopReason": reason}


def test_a_text() -> None:
    said = chunks_of(
        ("messageStart", {"role": "assistant"}),
        delta(text="Hel"),
        delta(text="lo"),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        stop(),
        ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}}),
        ("metadata", {"trace": {}}),
        ("somethingNewer", {}),
    )
    texts = [one["candidates"][0]["content"]["parts"] for one in said]
    assert texts == [[{"text": "Hel"}], [{"text": "lo"}], [{"text": ""}]]
    assert {(one["modelVersion"], one["responseId"]) for one in said} == {("m", "r1")}
    assert said[-1]["candidates"][0]["finishReason"] == "STOP"
    assert said[-1]["usageMetadata"]["totalTokenCount"] == 5


def test_a_call_in_pieces() -> None:
    start = {"toolUse": {"toolUseId": "t1", "name": "f"}}
    said = parts_of(
        ("contentBlockStart", {"contentBlockIndex": 1, "start": start}),
        delta(1, toolUse={"input": '{"a"'}),
        delta(1, toolUse={"input": ":1}"}),
        stop("tool_use"),
    )
    assert said == [{"functionCall": {"id": "t1", "name": "f", "args": {"a": 1}}}]


def test_the_calls_of_a_servers_tool_are_left_out() -> None:
    start = {"toolUse": {"toolUseId": "t1", "name": "f", "type": "server_tool_use"}}
    said = parts_of(
        ("contentBlockStart", {"contentBlockIndex": 0, "start": start}),
        delta(0, toolUse={"input": "{}"}),
        delta(1, text="Hi"),
        stop(),
    )
    assert said == [{"text": "Hi"}, {"text": ""}]


@pytest.mark.parametrize("thoughts", [True, False])
def test_thoughts(thoughts: bool) -> None:
    said = parts_of(
        delta(reasoningContent={"text": "Hm"}),
        delta(reasoningContent={"signature": "S"}),
        delta(1, text="Hi"),
        stop(),
        thoughts=thoughts,
    )
    signature = render_thinking_signature("S")
    thought = {"text": "Hm", "thought": True, "thoughtSignature": signature}
    assert said == ([thought] if thoughts else []) + [{"text": "Hi"}, {"text": ""}]


@pytest.mark.parametrize(
    ("reasoning", "signature"),
    [
        ({"signature": "S"}, render_thinking_signature("S")),
        ({"redactedContent": "R"}, render_redacted_thinking("R")),
    ],
)
def test_the_signature_of_a_hidden_thought_goes_with_the_call(
    reasoning: dict[str, Any], signature: str
) -> None:
    begun = {"toolUse": {"toolUseId": "t1", "name": "f"}}
    [part] = parts_of(
        delta(reasoningContent=reasoning),
        ("contentBlockStart", {"contentBlockIndex": 1, "start": begun}),
        delta(1, toolUse={"input": "{}"}),
        stop("tool_use"),
        thoughts=False,
    )
    assert part["functionCall"]["name"] == "f"
    assert part["thoughtSignature"] == signature


def test_a_stream_that_ends_too_early_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="ended before"):
        chunks_of(delta(text="Hi"))


def test_a_piece_of_no_call_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="before the call"):
        chunks_of(delta(0, toolUse={"input": "{}"}))


def test_claudes_own_stream() -> None:
    events = [
        {"type": "message_start", "message": {"id": "msg_1", "model": "claude"}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ]
    stream = ClaudeStream()
    said: list[dict[str, Any]] = []
    for event in events:
        assert not stream.ended
        said += stream.read(("chunk", {"bytes": b64encode(orjson.dumps(event)).decode()}))
    assert stream.ended
    said += stream.end()
    assert [one["candidates"][0]["content"]["parts"] for one in said] == [
        [{"text": "Hi"}],
        [{"text": ""}],
    ]


@pytest.mark.parametrize("encoded", ["a", "e30=e", "{}", None])
def test_an_event_of_claude_that_is_not_base64(encoded: str | None) -> None:
    with pytest.raises(UnreadableAnswer, match=r"chunk\.bytes"):
        list(ClaudeStream().read(("chunk", {"bytes": encoded})))
