"""Deterministic answers of Converse, derived from the request alone (see `tests.fakes`)."""

import hashlib
from typing import Any

import orjson

from ..anthropic.request_rules import check_closed
from ..anthropic.signatures import redacted_block, thinking_block
from ..media import seen
from ..prompt_cache import Cached
from ..sample import arguments_of, in_order, sample
from ..shape import ShapeError
from .model_fields import THINKING_ON, thinking_of
from .sentences import ModelError, check_not_asked_to_fail

Content = list[dict[str, Any]]
REFUSAL = "I'm sorry, I cannot help with that."
THINKING_TOKENS = 5


def text_of_converse(asked: dict[str, Any]) -> str:
    """What the user said last, or what the tools said if the user added nothing."""
    blocks = [message for message in asked["messages"] if message["role"] == "user"][-1]["content"]
    said = [block for block in blocks if "toolResult" not in block]
    if said:
        return "".join(map(_shown, said))
    before = asked["messages"][-2]["content"]
    calls = [block["toolUse"]["toolUseId"] for block in before if "toolUse" in block]
    return in_order(calls, {block["toolResult"]["toolUseId"]: _shown(block) for block in blocks})


def _shown(block: dict[str, Any]) -> str:
    match block:
        case {"image": {"source": {"bytes": data}}} | {"document": {"source": {"bytes": data}}}:
            return seen(data)
        case {"toolResult": {"content": blocks}}:
            return "".join(map(_shown, blocks))
        case {"json": document}:
            return orjson.dumps(document).decode()
        case _:
            return str(block.get("text", ""))


def answer_converse(asked: dict[str, Any], answer_bytes: int, cached: Cached) -> dict[str, Any]:
    """The response to a request that `parse_converse` let pass; raises ModelError.

    Unverified: that the total includes what the cache read and wrote.
    """
    text = text_of_converse(asked)
    check_not_asked_to_fail(text)
    content, stop = _content(asked, text, answer_bytes)
    thoughts = _thoughts(asked, text)
    written = sum(len(str(block.get("text", "call")).split()) for block in content)
    written += THINKING_TOKENS * len(thoughts)
    tools = asked.get("toolConfig", {}).get("tools")
    sent = len(orjson.dumps([tools, asked.get("system"), asked["messages"]])) // 4
    made = sum(cached.written.values())
    read = max(1, sent - cached.read - made)
    return {
        "output": {"message": {"role": "assistant", "content": thoughts + content}},
        "stopReason": stop,
        "usage": {
            "inputTokens": read,
            "outputTokens": written,
            "totalTokens": read + cached.read + made + written,
            "cacheReadInputTokens": cached.read,
            "cacheWriteInputTokens": made,
        },
        "metrics": {"latencyMs": 1},
    }


def _content(asked: dict[str, Any], text: str, size: int) -> tuple[Content, str]:
    """The blocks after any thinking, and the stop reason."""
    if "please refuse" in text:
        return [{"text": REFUSAL}], "content_filtered"
    tool = _called(asked.get("toolConfig", {"tools": []}), text)
    if tool is not None:
        calls = arguments_of(tool["inputSchema"]["json"], text)
        return [
            {"toolUse": _use(tool["name"], arguments, text * number)}
            for number, arguments in enumerate(calls, 1)
        ], "tool_use"
    schema = _schema(asked)
    if schema is not None:
        return [{"text": orjson.dumps(sample(schema)).decode()}], "end_turn"
    return _written(asked.get("inferenceConfig", {}), f"echo: {text}".ljust(size, "."))


def _use(name: str, arguments: Any, seed: str) -> dict[str, Any]:
    use_id = "tooluse_" + hashlib.sha256(seed.encode()).hexdigest()[:22]
    return {"toolUseId": use_id, "name": name, "input": arguments}


def _called(config: dict[str, Any], text: str) -> dict[str, Any] | None:
    """The tool that the fake model calls, if it calls one."""
    tools: Content = [tool["toolSpec"] for tool in config["tools"] if "toolSpec" in tool]
    choice = config.get("toolChoice", {"auto": {}})
    if "tool" in choice:
        return next(tool for tool in tools if tool["name"] == choice["tool"]["name"])
    if tools and ("any" in choice or "call the tool" in text):
        return tools[0]
    return None


def _schema(asked: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of a structured output: JSON in a string, with closed objects."""
    wanted = asked.get("outputConfig", {}).get("textFormat")
    if wanted is None:
        return None
    path = "outputConfig.textFormat.structure.jsonSchema.schema"
    try:
        schema = orjson.loads(wanted["structure"]["jsonSchema"]["schema"])
        check_closed(schema, path)
    except (orjson.JSONDecodeError, ShapeError) as error:
        raise ModelError(f"{path}: {error}") from None
    if not isinstance(schema, dict):
        raise ModelError(f"{path}: must be a JSON schema")
    return schema


def _written(config: dict[str, Any], text: str) -> tuple[Content, str]:
    """The text up to its first stop sequence, or its `maxTokens` words."""
    positions = [text.find(mark) for mark in config.get("stopSequences", ()) if mark in text]
    if positions:
        kept = text[: min(positions)].rstrip()
        return [{"text": kept}] if kept else [], "stop_sequence"
    words, limit = text.split(" "), config.get("maxTokens")
    if limit is not None and len(words) > limit:
        return [{"text": " ".join(words[:limit])}], "max_tokens"
    return [{"text": text}], "end_turn"


def _thoughts(asked: dict[str, Any], text: str) -> Content:
    """One block where thinking is on; its display is "summarized" unless the request says."""
    thinking = thinking_of(asked)
    if thinking["type"] not in THINKING_ON:
        return []
    thought = f"thinking about: {text}"
    if "please redact" in text:
        return [{"reasoningContent": {"redactedContent": redacted_block(thought)["data"]}}]
    block = thinking_block(thought, thinking.get("display") or "summarized")
    shown = {"text": block["thinking"], "signature": block["signature"]}
    return [{"reasoningContent": {"reasoningText": shown}}]
