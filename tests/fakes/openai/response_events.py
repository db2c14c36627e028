"""A Response in events (the official SDK's ResponseStreamEvent, openai 3.57)."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from ..event_stream import pieces

Event = dict[str, Any]

BREAKING_MIDWAY = "break midway"
ERROR = {
    "code": "rate_limit_exceeded",
    "message": "Rate limit reached midway.",
    "param": None,
}


def response_events(whole: dict[str, Any]) -> Iterator[Event]:
    for number, event in zip(count(), _events(whole), strict=False):
        yield event | {"sequence_number": number}


def _events(whole: dict[str, Any]) -> Iterator[Event]:
    begun = whole | {"status": "in_progress", "output": [], "usage": None, "error": None}
    begun |= {"incomplete_details": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(whole["output"]):
        for event in _item_events(item):
            yield event | {"output_index": index}
            if whole["status"] == "failed" and event["type"].endswith(".delta"):
                yield {"type": "response.failed", "response": whole}
                return
            if BREAKING_MIDWAY in str(item) and event["type"].endswith(".delta"):
                yield {"type": "error", **ERROR}
                return
    yield {"type": f"response.{whole['status']}", "response": whole}


def _item_events(item: dict[str, Any]) -> Iterator[Event]:
    match item["type"]:
        case "reasoning":
            # What is encrypted is only complete at the end.
            empty: dict[str, Any] = {"summary": [], "encrypted_content": "gAAA"}
            inner = _summary_events(item)
        case "function_call":
            empty = {"arguments": "", "status": "in_progress"}
            inner = _call_events(item)
        case _:
            empty = {"content": [], "status": "in_progress"}
            inner = _message_events(item)
    yield {"type": "response.output_item.added", "item": item | empty}
    for event in inner:
        yield event | {"item_id": item["id"]}
    yield {"type": "response.output_item.done", "item": item}


def _summary_events(item: dict[str, Any]) -> Iterator[Event]:
    for index, part in enumerate(item["summary"]):
        at = {"summary_index": index}
        base = "response.reasoning_summary"
        yield {"type": f"{base}_part.added", "part": part | {"text": ""}, **at}
        for piece in pieces(part["text"]):
            yield {"type": f"{base}_text.delta", "delta": piece, **at}
        yield {"type": f"{base}_text.done", "text": part["text"], **at}
        yield {"type": f"{base}_part.done", "part": part, **at}


def _call_events(item: dict[str, Any]) -> Iterator[Event]:
    base = "response.function_call_arguments"
    for piece in pieces(item["arguments"]):
        yield {"type": f"{base}.delta", "delta": piece}
    yield {"type": f"{base}.done", "arguments": item["arguments"], "name": item["name"]}


def _message_events(item: dict[str, Any]) -> Iterator[Event]:
    for index, part in enumerate(item["content"]):
        at = {"content_index": index}
        member = "refusal" if part["type"] == "refusal" else "text"
        empty = {member: ""} if member == "refusal" else {member: "", "logprobs": []}
        yield {"type": "response.content_part.added", "part": part | empty, **at}
        base = "response.refusal" if member == "refusal" else "response.output_text"
        for place, piece in enumerate(pieces(part[member])):
            logprobs = part.get("logprobs", []) if place == 0 else []
            more = {} if member == "refusal" else {"logprobs": logprobs}
            yield {"type": f"{base}.delta", "delta": piece, **more, **at}
        more = {} if member == "refusal" else {"logprobs": part["logprobs"]}
        yield {"type": f"{base}.done", member: part[member], **more, **at}
        yield {"type": "response.content_part.done", "part": part, **at}
