"""A Message in events (https://docs.claude.com/en/docs/build-with-claude/streaming)."""

from collections.abc import Iterator
from typing import Any

import orjson

from ..event_stream import pieces


def message_events(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    begun: dict[str, Any] = {"content": [], "stop_reason": None, "stop_sequence": None}
    usage = whole["usage"] | {"output_tokens": 1}
    yield {"type": "message_start", "message": whole | begun | {"usage": usage}}
    yield {"type": "ping"}
    for index, block in enumerate(whole["content"]):
        empty, deltas = _block(block)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended = {name: whole[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    counts = {name: whole["usage"][name] for name in ("output_tokens", "output_tokens_details")}
    yield {"type": "message_delta", "delta": ended, "usage": counts}
    yield {"type": "message_stop"}


def _block(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The block as it begins, and what is added to it."""
    match block["type"]:
        case "text":
            added = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
            return {"type": "text", "text": ""}, added
        case "thinking":
            thought = pieces(block["thinking"])
            added = [{"type": "thinking_delta", "thinking": piece} for piece in thought]
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {"type": "thinking", "thinking": "", "signature": ""}, [*added, signed]
        case "tool_use":
            text = orjson.dumps(block["input"]).decode()
            added = [
                {"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces(text)]
            ]
            return block | {"input": {}}, added
        case _:
            return block, []
