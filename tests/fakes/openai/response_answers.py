"""Answers of /v1/responses, derived from the request's body alone (openai 3.57: Response)."""

import itertools
import time
from typing import Any

import orjson

from ..media import seen_at
from ..sample import sample
from ..shape import ShapeError
from .invented import REASONING_TOKENS, REFUSAL, check_asked_to_fail, native_id
from .reasoning import check_reasoning, reasoning_item, reasons
from .responses_request import parse_response

FAILING_MIDWAY = "fail midway"
FAILURE = {"code": "server_error", "message": "The model failed midway."}

Item = dict[str, Any]


def response(body: dict[str, Any], answer_bytes: int) -> dict[str, Any]:
    """A Response; raises ShapeError, LineError."""
    asked = parse_response(body)
    items: list[Item] = asked["input"]
    if isinstance(asked["input"], str):
        items = [{"role": "user", "content": asked["input"]}]
    for index, item in enumerate(items):
        if item.get("type") == "reasoning":
            check_reasoning(item, f"input[{index}]")
    _check_model(asked)
    text = _last_text(items)
    check_asked_to_fail(text)
    output = [*_thoughts(asked, items, text), _output(asked, items, text, answer_bytes)]
    status, details = _cut(output[-1], asked.get("max_output_tokens"))
    failure = FAILURE if FAILING_MIDWAY in text else None
    return {
        "id": native_id("resp_", text),
        "object": "response",
        "created_at": int(time.time()),
        "status": "failed" if failure else status,
        "error": failure,
        "incomplete_details": details,
        "instructions": asked.get("instructions"),
        "max_output_tokens": asked.get("max_output_tokens"),
        "metadata": asked.get("metadata") or {},
        "model": asked["model"],
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None, **(asked.get("reasoning") or {})},
        "store": asked.get("store") is not False,
        "temperature": asked.get("temperature", 1.0),
        "text": asked.get("text") or {"format": {"type": "text"}},
        "tool_choice": asked.get("tool_choice") or "auto",
        "tools": asked.get("tools") or [],
        "top_p": asked.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": _usage(items, output),
    }


def _check_model(asked: dict[str, Any]) -> None:
    if reasons(asked["model"]):
        unsupported = [f"{n}" for n in ("temperature", "top_p") if asked.get(n) not in (None, 1)]
    else:
        given = asked.get("reasoning") or {}
        unsupported = [f"reasoning.{name}" for name in given if given[name] not in (None, "none")]
    for path in unsupported:
        text = f"Unsupported parameter: '{path}' is not supported with this model."
        raise ShapeError("value", path, text)


def _last_text(items: list[Item]) -> str:
    """What the user said last, or what the functions returned after that."""
    outputs = list(
        itertools.takewhile(lambda one: one.get("type") == "function_call_output", reversed(items))
    )
    if outputs:
        return " ".join(_text(item["output"]) for item in reversed(outputs))
    users = [item for item in items if item.get("role") == "user"]
    return _text(users[-1]["content"]) if users else ""


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(map(_shown, content))


def _shown(part: dict[str, Any]) -> str:
    address = part.get("image_url") or part.get("file_data")
    return seen_at(address) if address else str(part.get("text", ""))


def _thoughts(asked: dict[str, Any], items: list[Item], text: str) -> list[Item]:
    reasoning = asked.get("reasoning") or {}
    if not reasons(asked["model"]) or reasoning.get("effort") == "none":
        return []
    goes_on = any(item.get("type") == "reasoning" for item in items)
    thought = f"I {'go on thinking' if goes_on else 'think'} about: {text}"
    shown = reasoning.get("summary") is not None
    return [reasoning_item(native_id("rs_", text), thought, shown=shown)]


def _output(asked: dict[str, Any], items: list[Item], text: str, size: int) -> Item:
    tool = _called(asked, items, text)
    if tool is not None:
        return {
            "id": native_id("fc_", text),
            "type": "function_call",
            "status": "completed",
            "call_id": native_id("call_", text),
            "name": tool["name"],
            "arguments": orjson.dumps(sample(tool["parameters"] or {"type": "object"})).decode(),
        }
    if "please refuse" in text:
        part: Item = {"type": "refusal", "refusal": REFUSAL}
    else:
        said = _said(asked, text, size)
        part = {
            "type": "output_text",
            "text": said,
            "annotations": [],
            "logprobs": _logprobs(asked, said),
        }
    return {
        "id": native_id("msg_", text),
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }


def _called(asked: dict[str, Any], items: list[Item], text: str) -> dict[str, Any] | None:
    """The function that the fake model calls, if it calls one. After a result it calls none."""
    if items[-1].get("type") == "function_call_output":
        return None
    functions: list[dict[str, Any]] = asked.get("tools") or []
    choice = asked.get("tool_choice") or "auto"
    if isinstance(choice, dict):
        names = {tool["name"] for tool in choice.get("tools", [choice])}
        functions = [function for function in functions if function["name"] in names]
        choice = choice.get("mode", "required")
    if choice == "required" or (choice == "auto" and "call the tool" in text):
        return functions[0] if functions else None
    return None


def _said(asked: dict[str, Any], text: str, size: int) -> str:
    wanted = (asked.get("text") or {}).get("format", {"type": "text"})
    if wanted["type"] == "json_schema":
        return orjson.dumps(sample(wanted["schema"])).decode()
    if wanted["type"] == "json_object":
        return orjson.dumps({"echo": text}).decode()
    return f"echo: {text}".ljust(size, ".")


def _logprobs(asked: dict[str, Any], said: str) -> list[dict[str, Any]]:
    if "message.output_text.logprobs" not in (asked.get("include") or ()):
        return []

    def one(word: str) -> dict[str, Any]:
        return {"token": word, "logprob": -0.5, "bytes": list(word.encode())}

    top = min(int(asked.get("top_logprobs") or 0), 1)
    return [one(word) | {"top_logprobs": [one(word)] * top} for word in said.split()]


def _cut(last: Item, limit: int | None) -> tuple[str, dict[str, Any] | None]:
    """Shortens a message to `limit` words; the status of the response, and why it is that."""
    parts = [part for part in last.get("content", ()) if part["type"] == "output_text"]
    for part in parts:
        words = part["text"].split()
        if limit is not None and len(words) > limit:
            part["text"] = " ".join(words[:limit])
            part["logprobs"] = part["logprobs"][:limit]
            last["status"] = "incomplete"
            return "incomplete", {"reason": "max_output_tokens"}
    return "completed", None


def _usage(items: list[Item], output: list[Item]) -> dict[str, Any]:
    asked = sum(
        len(_text(item.get("content") or item.get("output") or "").split()) for item in items
    )
    thought = REASONING_TOKENS * any(item["type"] == "reasoning" for item in output)
    written = len(str(output[-1].get("content") or output[-1]).split()) + thought
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": asked + written,
    }
