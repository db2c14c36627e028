"""A ChatCompletionResponse in chunks (the official SDK's CompletionChunk)."""

from collections.abc import Iterator
from typing import Any

from ..event_stream import pieces


def chat_chunks(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The last chunk has the usage."""
    shared = {name: whole[name] for name in ("id", "created", "model")}
    shared |= {"object": "chat.completion.chunk"}
    for choice in whole["choices"]:
        for delta in _deltas(choice["message"]):
            yield shared | {"choices": [_choice(choice, delta, None)]}
    last = [
        _choice(choice, {"content": ""}, choice["finish_reason"]) for choice in whole["choices"]
    ]
    yield shared | {"choices": last, "usage": whole["usage"]}


def _choice(choice: dict[str, Any], delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"index": choice["index"], "delta": delta, "finish_reason": finish}


def _deltas(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    content = message["content"]
    if isinstance(content, list):
        for part in content:
            yield {"content": [part]}
    else:
        for piece in pieces(content):
            yield {"content": piece}
    if message["tool_calls"]:  # Mistral writes a call in one piece
        yield {"content": "", "tool_calls": message["tool_calls"]}
