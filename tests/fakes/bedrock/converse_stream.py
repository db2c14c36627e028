"""An answer of Converse in events (botocore: ConverseStreamOutput)."""

from collections.abc import Iterator
from typing import Any

import orjson

from ..event_stream import pieces


def converse_events(whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    message = whole["output"]["message"]
    yield "messageStart", {"role": message["role"]}
    for index, block in enumerate(message["content"]):
        at = {"contentBlockIndex": index}
        if "toolUse" in block:
            use = {name: block["toolUse"][name] for name in ("toolUseId", "name")}
            yield "contentBlockStart", at | {"start": {"toolUse": use}}
        for delta in _deltas(block):
            yield "contentBlockDelta", at | {"delta": delta}
        yield "contentBlockStop", at
    yield "messageStop", {"stopReason": whole["stopReason"]}
    yield "metadata", {"usage": whole["usage"], "metrics": whole["metrics"]}


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for member, value in block.items():
        if member == "text":
            for piece in pieces(value):
                yield {"text": piece}
        elif member == "toolUse":
            for piece in pieces(orjson.dumps(value["input"]).decode()):
                yield {"toolUse": {"input": piece}}
        elif "reasoningText" in value:
            for piece in pieces(value["reasoningText"]["text"]):
                yield {"reasoningContent": {"text": piece}}
            yield {"reasoningContent": {"signature": value["reasoningText"]["signature"]}}
        else:
            yield {member: value}
