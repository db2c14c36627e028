"""Deterministic answers, derived from the request's body alone."""

import base64
import itertools
import struct
import time
from collections.abc import Callable
from typing import Any

import orjson

from ..media import seen, seen_at
from ..sample import arguments_of, in_order, sample, until_stop, vector
from ..shape import ShapeError
from .chat_request import parse_chat
from .embedding_request import EMBEDDING
from .envelope import error_body
from .invented import REASONING_TOKENS, REFUSAL, LineError, check_asked_to_fail, native_id
from .response_answers import response

# The longest vectors of each model; the oldest has no parameter for their length. A word counts as
# a token here.
EMBEDDING_SIZES = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 0,
}
MOST_TOKENS_OF_A_TEXT, MOST_TOKENS_OF_A_CALL = 8192, 300_000


def text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(_shown(part) for part in content or ())


def _shown(part: dict[str, Any]) -> str:
    match part["type"]:
        case "image_url":
            return seen_at(part["image_url"]["url"])
        case "file":
            return seen_at(part["file"].get("file_data", ""))
        case "input_audio":
            return seen(part["input_audio"]["data"])
        case _:
            return str(part.get("text", ""))


def _last_text(messages: list[dict[str, Any]]) -> str:
    """What the user said last, or what the tools said after that."""
    if messages[-1]["role"] == "tool":
        tools = list(itertools.takewhile(lambda one: one["role"] == "tool", reversed(messages)))
        calls = [call["id"] for call in messages[-1 - len(tools)]["tool_calls"]]
        return in_order(calls, {one["tool_call_id"]: text_of(one["content"]) for one in tools})
    users = [message for message in messages if message["role"] == "user"]
    return text_of(users[-1]["content"]) if users else ""


def chat(body: dict[str, Any], answer_bytes: int) -> dict[str, Any]:
    """A ChatCompletion; raises ShapeError, LineError."""
    parsed = parse_chat(body)
    text = _last_text(parsed["messages"])
    check_asked_to_fail(text)
    message, finish = _message(parsed, text, answer_bytes)
    words = (message["content"] or message["refusal"] or "call").split()
    limit = parsed.get("max_completion_tokens") or parsed.get("max_tokens")
    if limit is not None and message["content"] and len(words) > limit:
        words, finish = words[:limit], "length"
        message["content"] = " ".join(words)
    asked = sum(len(text_of(turn.get("content")).split()) for turn in parsed["messages"])
    logprobs = _logprobs(words, parsed.get("top_logprobs") or 0) if parsed.get("logprobs") else None
    count = parsed.get("n") or 1
    thought = REASONING_TOKENS if parsed.get("reasoning_effort") not in (None, "none") else 0
    written = len(words) * count + thought
    return {
        "id": native_id("chatcmpl-", text),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": parsed["model"],
        "choices": [
            {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}
            for index in range(count)
        ],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": written,
            "total_tokens": asked + written,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": thought,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_fake",
    }


def _message(body: dict[str, Any], text: str, size: int) -> tuple[dict[str, Any], str]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "annotations": [],
    }
    function = _called(body, text)
    if "please refuse" in text:
        message["refusal"] = REFUSAL
        return message, "stop"
    if function is not None:
        schema = function.get("parameters") or {"type": "object"}
        message["tool_calls"] = [
            _call(function["name"], arguments, text * number)
            for number, arguments in enumerate(arguments_of(schema, text), 1)
        ]
        return message, "tool_calls"
    wanted = body.get("response_format", {"type": "text"})
    if wanted["type"] == "json_schema":
        schema = wanted["json_schema"].get("schema", {"type": "object"})
        message["content"] = orjson.dumps(sample(schema)).decode()
    elif wanted["type"] == "json_object":
        message["content"] = orjson.dumps({"echo": text}).decode()
    else:
        message["content"] = until_stop(f"echo: {text}".ljust(size, "."), body.get("stop"))
    return message, "stop"


def _call(name: str, arguments: Any, seed: str) -> dict[str, Any]:
    function = {"name": name, "arguments": orjson.dumps(arguments).decode()}
    return {"id": native_id("call_", seed), "type": "function", "function": function}


def _called(body: dict[str, Any], text: str) -> dict[str, Any] | None:
    """The function that the fake model calls, if it calls one. After a result it calls none."""
    if body["messages"][-1]["role"] == "tool":
        return None
    functions: list[dict[str, Any]] = [tool["function"] for tool in body.get("tools", ())]
    choice = body.get("tool_choice", "auto")
    if isinstance(choice, dict):
        allowed = choice.get("allowed_tools", {"mode": "required", "tools": [choice]})
        names = {tool["function"]["name"] for tool in allowed["tools"]}
        functions = [function for function in functions if function["name"] in names]
        choice = allowed["mode"]
    if choice == "required" or (choice == "auto" and "call the tool" in text):
        return functions[0] if functions else None
    return None


def _logprobs(words: list[str], top: int) -> dict[str, Any]:
    def one(word: str) -> dict[str, Any]:
        return {"token": word, "logprob": -0.5, "bytes": list(word.encode())}

    content = [one(word) | {"top_logprobs": [one(word)] * min(top, 1)} for word in words]
    return {"content": content, "refusal": None}


def embeddings(body: dict[str, Any], answer_bytes: int) -> dict[str, Any]:
    """A CreateEmbeddingResponse: `dimensions` numbers, 8 unless told, for each input."""
    parsed = EMBEDDING.parse(body)
    given = parsed["input"]
    inputs = given if isinstance(given, list) and not isinstance(given[0], int) else [given]
    check_asked_to_fail(str(given))
    counts = [len(str(text).split()) for text in inputs]
    _check_embedding(parsed, counts)
    vectors = [vector(str(text), int(parsed.get("dimensions", 8))) for text in inputs]
    packed = parsed.get("encoding_format") == "base64"
    tokens = sum(counts)
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": pack(one) if packed else one}
            for index, one in enumerate(vectors)
        ],
        "model": parsed["model"],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _check_embedding(body: dict[str, Any], tokens: list[int]) -> None:
    model, size = body["model"], body.get("dimensions")
    if "embedding" not in model:
        message = "You are not allowed to generate embeddings from this model"
        raise LineError(403, error_body(message))
    if size is not None and model in EMBEDDING_SIZES and size > EMBEDDING_SIZES[model]:
        message = f"This model does not support {size} dimensions."
        raise LineError(400, error_body(message, param="dimensions"))
    if max(tokens) > MOST_TOKENS_OF_A_TEXT or sum(tokens) > MOST_TOKENS_OF_A_CALL:
        message = f"Requested {sum(tokens)} tokens, which are too many for one text or one request."
        raise LineError(400, error_body(message, code="max_tokens_per_request"))


def pack(values: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


ANSWERS: dict[str, Callable[[dict[str, Any], int], dict[str, Any]]] = {
    "/v1/chat/completions": chat,
    "/v1/embeddings": embeddings,
    "/v1/responses": response,
}


def answer(endpoint: str, body: dict[str, Any], answer_bytes: int) -> dict[str, Any]:
    """The answer to one line's body; raises ShapeError, LineError."""
    if endpoint not in ANSWERS:
        message = f"This fake does not answer {endpoint}."
        raise ShapeError("value", "url", message)
    return ANSWERS[endpoint](body, answer_bytes)
