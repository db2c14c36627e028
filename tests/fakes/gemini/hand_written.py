"""JSON as Google reads it: single quotes, commas at ends, line breaks (gemini.md section 1)."""

import json
from collections.abc import Iterator
from typing import Any

import orjson
from aiohttp import web

from ..intake import JSON_LIMIT, read_whole


async def read_json(request: web.Request, limit: int = JSON_LIMIT) -> Any:
    """The body; raises orjson.JSONDecodeError and BodyTooLong."""
    return loads(await read_whole(request, limit))


def loads(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        try:
            value = json.loads("".join(_rewritten(body.decode())), strict=False)
            json.dumps(value, ensure_ascii=False).encode()  # a half of a surrogate pair is no text
        except (ValueError, RecursionError):
            raise error from None
        return value


def _rewritten(text: str) -> Iterator[str]:
    """Character by character: in double quotes, and without a comma before a bracket."""
    quote, escaped = "", False
    for at, each in enumerate(text):
        if escaped:
            escaped = False
            yield each if each == "'" else "\\" + each
        elif quote:
            if each == "\\":
                escaped = True
            elif each == quote:
                quote = ""
                yield '"'
            else:
                yield '\\"' if each == '"' else each
        elif each in "\"'":
            quote = each
            yield '"'
        elif each != "," or text[at + 1 :].lstrip()[:1] not in ("]", "}"):
            yield each
