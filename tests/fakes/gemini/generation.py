"""Deterministic answers, derived from the request alone."""

import hashlib
from typing import Any

import orjson

from ..sample import sample, vector
from .content import last_user_text


class LineError(Exception):
    """One request fails; `code` is a google.rpc code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.status = {"code": code, "message": message}


def generate(model: str, request: dict[str, Any], answer_bytes: int = 0) -> dict[str, Any]:
    """A GenerateContentResponse for a parsed GenerateContentRequest; raises LineError."""
    text = last_user_text(request["contents"])
    if "please fail" in text:
        raise LineError(3, "The request asked to fail.")
    part, finish = _part(request, text, answer_bytes), "STOP"
    if "please refuse" in text:
        part, finish = {"text": "I cannot help with that."}, "SAFETY"
    asked = len(text.split())
    answered = len(str(part.get("text", "")).split()) or 1
    return {
        "candidates": [
            {"content": {"role": "model", "parts": [part]}, "finishReason": finish, "index": 0}
        ],
        "usageMetadata": {
            "promptTokenCount": asked,
            "candidatesTokenCount": answered,
            "totalTokenCount": asked + answered,
        },
        "modelVersion": model,
        "responseId": hashlib.sha256(text.encode()).hexdigest()[:16],
    }


def _part(request: dict[str, Any], text: str, answer_bytes: int) -> dict[str, Any]:
    functions = [
        function
        for tool in request.get("tools", [])
        for function in tool.get("functionDeclarations", [])
    ]
    calling = request.get("toolConfig", {}).get("functionCallingConfig", {}).get("mode", "AUTO")
    if functions and (calling == "ANY" or (calling != "NONE" and "call the tool" in text)):
        function = functions[0]
        schema = function.get("parametersJsonSchema") or function.get("parameters") or {}
        arguments = sample(schema)
        arguments = arguments if isinstance(arguments, dict) else {}
        return {"functionCall": {"name": function["name"], "args": arguments}}
    config = request.get("generationConfig", {})
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    if schema is not None:
        return {"text": orjson.dumps(sample(schema)).decode()}
    if config.get("responseMimeType") == "application/json":
        return {"text": orjson.dumps({"echo": text}).decode()}
    return {"text": f"echo: {text}".ljust(answer_bytes, ".")}


def embed(request: dict[str, Any]) -> dict[str, Any]:
    """An EmbedContentResponse for a parsed EmbedContentRequest; raises LineError."""
    text = last_user_text([request["content"] | {"role": "user"}])
    if "please fail" in text:
        raise LineError(3, "The request asked to fail.")
    count = int(request.get("outputDimensionality", 8))
    return {"embedding": {"values": vector(text, count)}, "tokenCount": str(len(text.split()))}
