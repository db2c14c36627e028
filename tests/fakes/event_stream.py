"""Streams as models write them: server-sent events, and AWS's binary event stream.

The frame of the latter: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

import struct
import zlib
from collections.abc import Iterable
from typing import Any

import orjson
from aiohttp import web

TEXT_HEADER = 7


def pieces(text: str) -> list[str]:
    """A few words at a time, as models write."""
    return [text[start : start + 5] for start in range(0, len(text), 5)]


def events(documents: Iterable[Any], *, named: bool = False, done: bool = False) -> web.Response:
    """Server-sent events. `named`: each has the name that its `type` is. `done`: `[DONE]` ends."""
    written = []
    for document in documents:
        name = f"event: {document['type']}\n" if named else ""
        written.append(f"{name}data: {orjson.dumps(document).decode()}\n\n")
    written.append("data: [DONE]\n\n" if done else "")
    return web.Response(text="".join(written), content_type="text/event-stream")


def binary_events(typed: Iterable[tuple[str, Any]], **headers: str) -> web.Response:
    """AWS's event stream of events with their types."""
    body = b"".join(_frame(kind, orjson.dumps(document)) for kind, document in typed)
    content_type = "application/vnd.amazon.eventstream"
    return web.Response(body=body, content_type=content_type, headers=headers)


def _frame(kind: str, payload: bytes) -> bytes:
    named = {
        ":message-type": "event",
        ":event-type": kind,
        ":content-type": "application/json",
    }
    headers = b"".join(map(_header, named.items()))
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    checked = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return checked + struct.pack(">I", zlib.crc32(checked))


def _header(named: tuple[str, str]) -> bytes:
    name, value = (text.encode() for text in named)
    size = struct.pack(">H", len(value))
    return bytes([len(name)]) + name + bytes([TEXT_HEADER]) + size + value
