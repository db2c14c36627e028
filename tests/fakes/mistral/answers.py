"""Deterministic answers, derived from the request's body alone."""

import hashlib
import itertools
import re
import time
from collections.abc import Callable
from typing import Any

import orjson

from ..media import seen_at
from ..sample import arguments_of, in_order, sample, until_stop, vector
from ..shape import Either, Nullable, Number, Record, Sequence, ShapeError, Table, Text
from .chat_request import ANY, BrokenRule, parse_chat
from .envelope import error_body

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
EMBEDDING = Record(
    {
        "model": Text(low=1),
        "input": Either((Text(low=1), Sequence(Text(low=1), low=1))),
        "metadata": Nullable(Table(ANY)),
        "output_dimension": Nullable(Number(low=1, high=3072, whole=True)),
        # The published answer holds numbers only: how the other formats look is unverified.
        "output_dtype": Text(choices=["float"]),
        "encoding_format": Text(choices=["float"]),
    },
    required=("model", "input"),
)
MODEL = re.compile(
    r"(?:open-|labs-|ft:)?(?:mistral|mixtral|ministral|pixtral|(?:code|dev|magi|vox)s?tral)[\w.:-]*"
)
# Unverified: that another model refuses `output_dimension`.
SIZED_MODEL = "codestral-embed"
USUAL_SIZE = 8
# From users' reports of these refusals. A word counts as a token here.
MOST_INPUTS, MOST_TOKENS = 512, 16_384


class LineError(Exception):
    """One request is answered with an error: a status and an error body."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(str(body["message"]))
        self.status, self.body = status, body


def _asked_to_fail(text: str) -> None:
    if "please fail" in text:
        raise LineError(400, error_body("The request asked to fail."))


def text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(_shown(part) for part in content or ())


def _shown(part: dict[str, Any]) -> str:
    match part["type"]:
        case "image_url":
            image = part["image_url"]
            return seen_at(image if isinstance(image, str) else image["url"])
        case "document_url":
            return seen_at(part["document_url"])
        case _:
            return str(part.get("text", ""))


def _last_text(messages: list[dict[str, Any]]) -> str:
    """What the user said last, or what the tools said after that."""
    if messages[-1]["role"] == "tool":
        tools = list(itertools.takewhile(lambda one: one["role"] == "tool", reversed(messages)))
        calls = [call.get("id") for call in messages[-1 - len(tools)]["tool_calls"]]
        return in_order(calls, {one.get("tool_call_id"): text_of(one["content"]) for one in tools})
    users = [message for message in messages if message["role"] == "user"]
    return text_of(users[-1]["content"]) if users else ""


def _native_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def call_id(text: str) -> str:
    """Nine letters and digits."""
    mixed = hashlib.sha256(text.encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in mixed[:9])


def chat(body: dict[str, Any], answer_bytes: int) -> dict[str, Any]:
    """A ChatCompletionResponse; raises ShapeError, BrokenRule, LineError."""
    parsed = parse_chat(body)
    text = _last_text(parsed["messages"])
    _asked_to_fail(text)
    message, finish = _message(parsed, text, answer_bytes)
    words = (message["content"] or "call").split()
    limit = parsed.get("max_tokens")
    if limit is not None and message["content"] and len(words) > limit:
        words, finish = words[:limit], "length"
        message["content"] = " ".join(words)
    logprobs = _logprobs(words, parsed.get("top_logprobs") or 0) if parsed.get("logprobs") else None
    if _reasons(parsed) and message["content"]:
        message["content"] = _with_thoughts(message["content"])
    count = parsed.get("n") or 1
    asked = sum(len(text_of(turn.get("content")).split()) for turn in parsed["messages"])
    return {
        "id": _native_id(text),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": parsed["model"],
        "choices": [
            {"index": index, "message": message, "finish_reason": finish, "logprobs": logprobs}
            for index in range(count)
        ],
        "usage": _usage(asked, len(words) * count),
    }


def _usage(asked: int, written: int) -> dict[str, Any]:
    return {
        "prompt_tokens": asked,
        "completion_tokens": written,
        "total_tokens": asked + written,
        "prompt_audio_seconds": None,
    }


def _reasons(body: dict[str, Any]) -> bool:
    return body.get("prompt_mode") is not None or body.get("reasoning_effort") not in (None, "none")


def _with_thoughts(text: str) -> list[dict[str, Any]]:
    thought = {"type": "text", "text": "It asks for an echo."}
    return [{"type": "thinking", "thinking": [thought]}, {"type": "text", "text": text}]


def _message(body: dict[str, Any], text: str, size: int) -> tuple[dict[str, Any], str]:
    message = {"role": "assistant", "content": "", "tool_calls": None, "prefix": False}
    function = _called(body, text)
    if "please refuse" in text:
        return message, "error"
    if function is not None:
        calls = [
            _call(function["name"], arguments, text * (index + 1), index)
            for index, arguments in enumerate(arguments_of(function["parameters"], text))
        ]
        return message | {"tool_calls": calls}, "tool_calls"
    wanted = body.get("response_format", {"type": "text"})
    if wanted["type"] == "json_schema":
        message["content"] = orjson.dumps(sample(wanted["json_schema"]["schema"])).decode()
    elif wanted["type"] == "json_object":
        message["content"] = orjson.dumps({"echo": text}).decode()
    else:
        message["content"] = until_stop(f"echo: {text}".ljust(size, "."), body.get("stop"))
    return message, "stop"


def _call(name: str, arguments: Any, seed: str, index: int) -> dict[str, Any]:
    function = {"name": name, "arguments": orjson.dumps(arguments).decode()}
    return {"id": call_id(seed), "type": "function", "function": function, "index": index}


def _called(body: dict[str, Any], text: str) -> dict[str, Any] | None:
    """The function that the fake model calls, if it calls one. After a result it calls none."""
    if body["messages"][-1]["role"] == "tool":
        return None
    functions: list[dict[str, Any]] = [tool["function"] for tool in body.get("tools") or ()]
    choice = body.get("tool_choice", "auto")
    if isinstance(choice, dict):
        name = choice["function"]["name"]
        return next(function for function in functions if function["name"] == name)
    if choice in ("any", "required") or (choice == "auto" and "call the tool" in text):
        return functions[0] if functions else None
    return None


def _logprobs(words: list[str], top: int) -> dict[str, Any]:
    def one(number: int, word: str) -> dict[str, Any]:
        token = {"token": word, "bytes": list(word.encode())}
        return token | {"logprob": -0.5, "token_id": number}

    tokens = [one(number, word) for number, word in enumerate(words)]
    return {"content": [token | {"top_logprobs": [token] * min(top, 1)} for token in tokens]}


def embeddings(body: dict[str, Any], answer_bytes: int) -> dict[str, Any]:
    """An EmbeddingResponse: `output_dimension` numbers, 8 unless told, for each input."""
    parsed = EMBEDDING.parse(body)
    given = parsed["input"]
    inputs = [given] if isinstance(given, str) else given
    _asked_to_fail("".join(inputs))
    tokens = sum(len(text.split()) for text in inputs)
    if len(inputs) > MOST_INPUTS:
        raise BrokenRule("Too many inputs in request, split into more batches.")
    if tokens > MOST_TOKENS:
        raise BrokenRule(f"Too many tokens in batch. Max is {MOST_TOKENS} got {tokens}")
    size = parsed.get("output_dimension")
    if size is not None and not parsed["model"].startswith(SIZED_MODEL):
        raise BrokenRule(f"{parsed['model']} does not support output_dimension")
    vectors = [vector(text, size or USUAL_SIZE) for text in inputs]
    return {
        "id": _native_id("".join(inputs)),
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": values}
            for index, values in enumerate(vectors)
        ],
        "model": parsed["model"],
        "usage": _usage(tokens, 0),
    }


ANSWERS: dict[str, Callable[[dict[str, Any], int], dict[str, Any]]] = {
    "/v1/chat/completions": chat,
    "/v1/embeddings": embeddings,
}


def serves(model: str, endpoint: str) -> bool:
    """Whether such a model can exist, and answers at this endpoint."""
    embeds = "embed" in model
    return bool(MODEL.fullmatch(model)) and embeds == (endpoint == "/v1/embeddings")


def answer(job: dict[str, Any], body: dict[str, Any], answer_bytes: int) -> dict[str, Any]:
    """The answer to one line's body; raises ShapeError, LineError.

    The body needs a model only if its job has none. Unverified: which counts if they differ.
    """
    model = job["model"]
    if model is not None and body.get("model", model) != model:
        raise ShapeError("value", "model", f"The job's model is {model}.")
    asked, endpoint = body if model is None else body | {"model": model}, job["endpoint"]
    try:
        answered = ANSWERS[endpoint](asked, answer_bytes)
    except BrokenRule as broken:
        error = error_body(broken.message, kind=broken.kind, code=broken.code)
        raise LineError(400, error) from None
    if not serves(asked["model"], endpoint):
        error = error_body(f"Invalid model: {asked['model']}", param="model", code="unknown_model")
        raise LineError(400, error)
    return answered
