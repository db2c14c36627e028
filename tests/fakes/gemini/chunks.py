"""A GenerateContentResponse in chunks, as Gemini's own streams have them.

The last chunk has an empty text, the finish reason and the whole usage.
"""

from collections.abc import Iterator
from typing import Any

from ..event_stream import pieces


def stream_chunks(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    shared = {name: whole[name] for name in ("modelVersion", "responseId")}
    usage = whole["usageMetadata"]
    asked = usage["promptTokenCount"]
    so_far = {"promptTokenCount": asked, "totalTokenCount": asked}
    [candidate] = whole["candidates"]
    for part in candidate["content"]["parts"]:
        for piece in _pieces(part):
            yield {"candidates": [_candidate(piece)], "usageMetadata": so_far, **shared}
    last = _candidate({"text": ""}) | {"finishReason": candidate["finishReason"]}
    yield {"candidates": [last], "usageMetadata": usage, **shared}


def _candidate(part: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"role": "model", "parts": [part]}, "index": 0}


def _pieces(part: dict[str, Any]) -> list[dict[str, Any]]:
    """A text in pieces, and a call whole."""
    return [part | {"text": piece} for piece in pieces(part["text"])] if "text" in part else [part]
