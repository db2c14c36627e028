"""Deterministic answers, derived from the request alone."""

import hashlib
from typing import Any

import orjson

from ..media import seen
from ..prompt_cache import Cached
from ..sample import arguments_of, in_order, sample
from .envelope import refuse
from .signatures import redacted_block, thinking_block

REFUSAL = "I'm sorry, I cannot help with that."
THINKING_TOKENS = 5
NOT_CACHED = Cached()


def answer(
    asked: dict[str, Any], custom_id: str, answer_bytes: int, cached: Cached = NOT_CACHED
) -> dict[str, Any]:
    """The Message for a parsed request; raises Refusal for one that asks to fail."""
    text = last_text(asked["messages"])
    if "please fail" in text:
        raise refuse(400, "The request asked to fail.")
    content, stop = _content(asked, text, answer_bytes)
    thoughts = _thoughts(asked, text) if content else []
    words = sum(len(str(block.get("text", "call")).split()) for block in content)
    thought = THINKING_TOKENS if thoughts else 0
    return {
        "id": _derived("msg_", custom_id),
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": thoughts + content,
        "stop_sequence": None,
        "stop_details": None,
        **stop,
        "usage": _usage(asked, words + thought, thought, cached),
    }


def last_text(turns: list[dict[str, Any]]) -> str:
    """What the user said last, or what the tools said if the user added nothing."""
    blocks = [turn for turn in turns if turn["role"] == "user"][-1]["content"]
    said = [block for block in blocks if block["type"] != "tool_result"]
    if said:
        return "".join(map(_shown, said))
    calls = [block["id"] for block in turns[-2]["content"] if block["type"] == "tool_use"]
    return in_order(calls, {block["tool_use_id"]: _shown(block) for block in blocks})


def _shown(block: dict[str, Any]) -> str:
    match block:
        case {"type": "image" | "document", "source": {"type": "base64", "data": data}}:
            return seen(data)
        case {"type": "document", "source": {"type": "text", "data": text}}:
            return str(text)
        case {"type": "tool_result", "content": str(result)}:
            return result
        case {"type": "tool_result", "content": list(blocks)}:
            return "".join(map(_shown, blocks))
        case _:
            return str(block.get("text", ""))


def _derived(prefix: str, text: str) -> str:
    return f"{prefix}01" + hashlib.sha256(text.encode()).hexdigest()[:22]


def _content(
    asked: dict[str, Any], text: str, size: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The blocks after any thinking, and the stop reason."""
    if asked["max_tokens"] == 0:  # only warms the cache
        return [], {"stop_reason": "max_tokens"}
    if "please refuse" in text:
        details = {"type": "refusal", "category": None, "explanation": REFUSAL}
        return [], {"stop_reason": "refusal", "stop_details": details}
    tool = _called(asked, text)
    if tool is not None:
        return [
            {
                "type": "tool_use",
                "id": _derived("toolu_", text * number),
                "name": tool["name"],
                "input": arguments,
            }
            for number, arguments in enumerate(arguments_of(tool["input_schema"], text), 1)
        ], {"stop_reason": "tool_use"}
    wanted = asked.get("output_config", {}).get("format")
    if wanted:
        document = orjson.dumps(sample(wanted["schema"])).decode()
        return [{"type": "text", "text": document}], {"stop_reason": "end_turn"}
    written, stop = _written(asked, f"echo: {text}".ljust(size, "."))
    return [{"type": "text", "text": written}] if written else [], stop


def _written(asked: dict[str, Any], text: str) -> tuple[str, dict[str, Any]]:
    """The text up to its first stop sequence, or its `max_tokens` words."""
    found = [(text.find(mark), mark) for mark in asked.get("stop_sequences", ()) if mark in text]
    if found:
        place, mark = min(found)
        return text[:place].rstrip(), {"stop_reason": "stop_sequence", "stop_sequence": mark}
    words = text.split(" ")
    if len(words) > asked["max_tokens"]:
        return " ".join(words[: asked["max_tokens"]]), {"stop_reason": "max_tokens"}
    return text, {"stop_reason": "end_turn"}


def _called(asked: dict[str, Any], text: str) -> dict[str, Any] | None:
    """The tool that the fake model calls, if it calls one."""
    tools: list[dict[str, Any]] = asked.get("tools", [])
    choice = asked.get("tool_choice", {"type": "auto"})
    if choice["type"] == "tool":
        return next(tool for tool in tools if tool["name"] == choice["name"])
    if choice["type"] == "any" or (choice["type"] == "auto" and "call the tool" in text):
        return tools[0] if tools else None
    return None


def _thoughts(asked: dict[str, Any], text: str) -> list[dict[str, Any]]:
    """One block where thinking is on; its display is "summarized" unless the request says."""
    thinking = asked.get("thinking", {"type": "disabled"})
    if thinking["type"] not in ("enabled", "adaptive"):
        return []
    thought = f"thinking about: {text}"
    if "please redact" in text:
        return [dict(redacted_block(thought))]
    return [dict(thinking_block(thought, thinking.get("display") or "summarized"))]


def _usage(asked: dict[str, Any], written: int, thought: int, cached: Cached) -> dict[str, Any]:
    """`input_tokens` are those that were neither read from the cache nor written to it."""
    sent = len(orjson.dumps([asked.get("tools"), asked.get("system"), asked["messages"]])) // 4
    made = sum(cached.written.values())
    return {
        "input_tokens": max(1, sent - cached.read - made),
        "cache_creation_input_tokens": made,
        "cache_read_input_tokens": cached.read,
        "cache_creation": {
            f"ephemeral_{life}_input_tokens": tokens for life, tokens in cached.written.items()
        },
        "output_tokens": written,
        "output_tokens_details": {"thinking_tokens": thought},
        "service_tier": "batch",
    }
