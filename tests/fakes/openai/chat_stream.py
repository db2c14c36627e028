"""A ChatCompletion in chunks (the official SDK's ChatCompletionChunk, openai 3.54)."""

from collections.abc import Iterator
from typing import Any

from ..event_stream import pieces


def chat_chunks(whole: dict[str, Any], *, usage: bool) -> Iterator[dict[str, Any]]:
    """`usage`: the request asked for it. Then it is `null` in all chunks but a further last one."""
    shared = {name: whole[name] for name in ("id", "created", "model", "system_fingerprint")}
    shared |= {"object": "chat.completion.chunk", "service_tier": "default"}
    shared |= {"usage": None} if usage else {}
    for choice in whole["choices"]:
        for delta, logprobs in _deltas(choice):
            yield shared | {"choices": [_choice(choice, delta, logprobs, None)]}
        yield shared | {"choices": [_choice(choice, {}, None, choice["finish_reason"])]}
    if usage:
        yield shared | {"choices": [], "usage": whole["usage"]}


def _choice(
    choice: dict[str, Any], delta: dict[str, Any], logprobs: Any, finish: str | None
) -> dict[str, Any]:
    return {
        "index": choice["index"],
        "delta": delta,
        "logprobs": logprobs,
        "finish_reason": finish,
    }


def _deltas(choice: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    message = choice["message"]
    yield {"role": "assistant", "content": "", "refusal": None}, None
    logprobs = choice["logprobs"]
    for place, piece in enumerate(pieces(message["content"] or "")):
        yield {"content": piece}, logprobs if place == 0 else None
    for piece in pieces(message["refusal"] or ""):
        yield {"refusal": piece}, None
    for index, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        begun = {**call, "function": {"name": function["name"], "arguments": ""}}
        yield {"tool_calls": [{"index": index, **begun}]}, None
        for piece in pieces(function["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, None
