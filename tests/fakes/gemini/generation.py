"""Deterministic answers, derived from the request alone."""

import hashlib
from typing import Any

import orjson

from ..sample import arguments_of, sample, vector
from .content import last_text
from .turn_rules import TurnError, check_turns, signature_of

THOUGHT_TOKENS = 5


class LineError(Exception):
    """One request fails; `code` is a google.rpc code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.status = {"code": code, "message": message}


def generate(model: str, request: dict[str, Any], answer_bytes: int = 0) -> dict[str, Any]:
    """A GenerateContentResponse for a parsed GenerateContentRequest; raises LineError."""
    try:
        check_turns(request["contents"])
    except TurnError as error:
        raise LineError(3, str(error)) from None
    text = last_text(request["contents"])
    if "please fail" in text:
        raise LineError(3, "The request asked to fail.")
    said, finish = _parts(request, text, answer_bytes), "STOP"
    if "please refuse" in text:
        said, finish = [{"text": "I cannot help with that."}], "SAFETY"
    thoughts = _thoughts(request, text)
    parts = [*thoughts, *said]
    return {
        "candidates": [
            {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}
        ],
        "usageMetadata": _usage(text, said[0], THOUGHT_TOKENS * len(thoughts)),
        "modelVersion": model,
        "responseId": hashlib.sha256(text.encode()).hexdigest()[:16],
    }


def _usage(text: str, part: dict[str, Any], thought: int) -> dict[str, Any]:
    asked = len(text.split())
    answered = len(str(part.get("text", "")).split()) or 1
    return {
        "promptTokenCount": asked,
        "candidatesTokenCount": answered,
        **({"thoughtsTokenCount": thought} if thought else {}),
        "totalTokenCount": asked + answered + thought,
    }


def _thoughts(request: dict[str, Any], text: str) -> list[dict[str, Any]]:
    thinking = request.get("generationConfig", {}).get("thinkingConfig", {})
    if not thinking.get("includeThoughts"):
        return []
    return [{"text": f"thinking about: {text}", "thought": True}]


def _parts(request: dict[str, Any], text: str, answer_bytes: int) -> list[dict[str, Any]]:
    function = _called(request, text)
    if function is None:
        return [_text(request, text, answer_bytes)]
    schema = function.get("parametersJsonSchema") or function.get("parameters") or {}
    return [_call(function["name"], arguments) for arguments in arguments_of(schema, text)]


def _call(name: str, arguments: Any) -> dict[str, Any]:
    call = {"name": name, "args": arguments if isinstance(arguments, dict) else {}}
    return {"functionCall": call, "thoughtSignature": signature_of(call)}


def _text(request: dict[str, Any], text: str, answer_bytes: int) -> dict[str, Any]:
    config = request.get("generationConfig", {})
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    if schema is not None:
        return {"text": orjson.dumps(sample(schema)).decode()}
    if config.get("responseMimeType") == "application/json":
        return {"text": orjson.dumps({"echo": text}).decode()}
    return {"text": f"echo: {text}".ljust(answer_bytes, ".")}


def _called(request: dict[str, Any], text: str) -> dict[str, Any] | None:
    """The function that the fake model calls, if it calls one. After an answer it calls none."""
    functions: list[dict[str, Any]] = [
        function
        for tool in request.get("tools", [])
        for function in tool.get("functionDeclarations", [])
    ]
    if any("functionResponse" in part for part in request["contents"][-1].get("parts", ())):
        return None
    calling = (
        request.get("toolConfig", {}).get("functionCallingConfig", {}).get("mode", "AUTO").upper()
    )
    if functions and (calling == "ANY" or (calling != "NONE" and "call the tool" in text)):
        return functions[0]
    return None


def embed(request: dict[str, Any]) -> dict[str, Any]:
    """An EmbedContentResponse for a parsed EmbedContentRequest; raises LineError."""
    text = last_text([request["content"] | {"role": "user"}])
    if "please fail" in text:
        raise LineError(3, "The request asked to fail.")
    count = int(request.get("outputDimensionality", 8))
    return {"embedding": {"values": vector(text, count)}, "tokenCount": str(len(text.split()))}
