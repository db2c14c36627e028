"""Any value in an event of a stream is read, or is the provider's fault: never an error of ours."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
import pytest

from providers.bedrock.content.converse_stream import ConverseStream
from providers.claude_content.message_stream import MessageStream
from providers.json_api.answer_shape import UnreadableAnswer
from providers.json_api.json_text import render_json
from providers.openai_content.chat_stream import ChatStream
from providers.openai_content.response_stream import ResponseStream
from providers.prompts.stream import StreamReader
from providers.upstream import UpstreamError
from tests.test_providers.test_strange_answers import changed

TOKEN = {"token": "a", "logprob": -0.5, "top_logprobs": [{"token": "a", "logprob": -0.5}]}
CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
OPENAI: list[dict[str, Any]] = [
    {
        "id": "1",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "delta": {"role": "assistant", "content": "a", "reasoning": "b", "refusal": "c"},
                "logprobs": {"content": [TOKEN]},
                "finish_reason": None,
            }
        ],
    },
    {
        "choices": [
            {
                "delta": {
                    "content": [
                        "a",
                        {"type": "text", "text": "b"},
                        {"type": "thinking", "thinking": [{"type": "text", "text": "c"}]},
                        {"type": "refusal", "refusal": "d"},
                    ],
                    "tool_calls": [CALL],
                },
            }
        ],
    },
    {"choices": [{"delta": {"function_call": {"name": "f", "arguments": "{}"}}}]},
    {
        "choices": [{"delta": {}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 1,
            "completion_tokens": 2,
            "total_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
    },
]
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"}
RESPONSES: list[dict[str, Any]] = [
    {"type": "response.created", "response": {"id": "1", "model": "m"}},
    {"type": "response.output_item.added", "output_index": 0, "item": REASONING},
    {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "a"},
    {"type": "response.output_item.done", "output_index": 0, "item": REASONING},
    {"type": "response.output_item.added", "output_index": 1, "item": {"type": "message"}},
    {"type": "response.output_text.delta", "delta": "b", "logprobs": [TOKEN]},
    {"type": "response.refusal.delta", "delta": "c"},
    {
        "type": "response.output_item.added",
        "output_index": 2,
        "item": {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""},
    },
    {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{}"},
    {
        "type": "response.incomplete",
        "response": {
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
            "error": None,
            "usage": {
                "input_tokens": 1,
                "output_tokens": 2,
                "total_tokens": 3,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 1},
            },
        },
    },
]
FAILED: list[dict[str, Any]] = [
    *RESPONSES[:-1],
    {
        "type": "response.failed",
        "response": {"status": "failed", "error": {"code": "server_error", "message": "d"}},
    },
]
USAGE = {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 0}
ANTHROPIC: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "1", "model": "m", "usage": USAGE}},
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "thinking", "thinking": "", "signature": ""},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "thinking_delta", "thinking": "a"},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "signature_delta", "signature": "b"},
    },
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "c"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "d"}},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 2,
        "delta": {"type": "input_json_delta", "partial_json": "{}"},
    },
    {
        "type": "message_delta",
        "delta": {"stop_reason": "refusal", "stop_details": {"category": "a", "explanation": "b"}},
        "usage": USAGE,
    },
    {"type": "message_stop"},
]
CONVERSE: list[tuple[str, dict[str, Any]]] = [
    ("messageStart", {"role": "assistant"}),
    (
        "contentBlockDelta",
        {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "a"}}},
    ),
    (
        "contentBlockDelta",
        {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "b"}}},
    ),
    (
        "contentBlockDelta",
        {"contentBlockIndex": 1, "delta": {"reasoningContent": {"redactedContent": "Yg=="}}},
    ),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"text": "c"}}),
    (
        "contentBlockStart",
        {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}},
    ),
    ("contentBlockDelta", {"contentBlockIndex": 3, "delta": {"toolUse": {"input": "{}"}}}),
    ("contentBlockStop", {"contentBlockIndex": 3}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}}),
]


def as_json(events: Sequence[dict[str, Any]]) -> Iterator[list[bytes]]:
    """The events as they are, and with each value of each event replaced."""
    whole = [orjson.dumps(event) for event in events]
    yield whole
    for place, event in enumerate(events):
        for strange in changed(event):
            try:
                written = render_json(strange)
            except orjson.JSONEncodeError:  # it cannot be on the wire
                continue
            yield [*whole[:place], written, *whole[place + 1 :]]


def typed(events: Sequence[tuple[str, dict[str, Any]]]) -> Iterator[list[tuple[str, Any]]]:
    yield list(events)
    for place, (kind, event) in enumerate(events):
        for strange in changed(event):
            yield [*events[:place], (kind, strange), *events[place + 1 :]]


STREAMS: dict[str, tuple[Callable[[], StreamReader[Any]], Callable[[], Iterator[list[Any]]]]] = {
    "openai": (lambda: ChatStream(thoughts=True), lambda: as_json(OPENAI)),
    "responses": (ResponseStream, lambda: as_json(RESPONSES)),
    "anthropic": (MessageStream, lambda: as_json(ANTHROPIC)),
    "converse": (lambda: ConverseStream("m", "1", thoughts=True), lambda: typed(CONVERSE)),
}


def chunks_of(reader: StreamReader[Any], events: list[Any]) -> Iterator[dict[str, Any]]:
    for event in events:
        yield from reader.read(event)
    yield from reader.end()


def check(chunk: dict[str, Any]) -> None:
    """What every SDK needs of a chunk: a part, and no null anywhere."""
    assert chunk["candidates"][0]["content"]["parts"]
    assert not has_null(orjson.loads(render_json(chunk)))


def has_null(value: Any) -> bool:
    """The arguments of a call are the model's own."""
    if isinstance(value, dict):
        return any(has_null(each) for name, each in value.items() if name != "args")
    if isinstance(value, list):
        return any(map(has_null, value))
    return value is None


@pytest.mark.parametrize("name", STREAMS)
def test_a_strange_value_in_an_event(name: str) -> None:
    new_reader, streams = STREAMS[name]
    every = streams()
    assert "finishReason" in list(chunks_of(new_reader(), next(every)))[-1]["candidates"][0]
    for events in every:
        try:
            for chunk in chunks_of(new_reader(), events):
                check(chunk)
        except (UpstreamError, UnreadableAnswer):
            pass


def test_a_strange_value_in_a_failure() -> None:
    for events in as_json(FAILED):
        try:
            for chunk in chunks_of(ResponseStream(), events):
                check(chunk)
        except (UpstreamError, UnreadableAnswer):
            pass
