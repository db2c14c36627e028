"""Streams as models write them: server-sent events, and AWS's binary event stream.

The frame of the latter: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from aiohttp import hdrs, web

from .intake import Pace
from .journal import EXCHANGE

TEXT_HEADER = 7


def pieces(text: str) -> list[str]:
    """A few words at a time, as models write."""
    return [text[start : start + 5] for start in range(0, len(text), 5)]


class EventsResponse(web.Response):
    """A stream that was answered in full; the control middleware sends it event by event."""

    def __init__(self, written: Sequence[bytes], content_type: str, **headers: str) -> None:
        super().__init__(body=b"".join(written), content_type=content_type, headers=headers)
        self.events = written

    async def sent(self, request: web.Request) -> web.StreamResponse:
        """Writes it, at the rate of the settings; raises ConnectionError."""
        exchange = request[EXCHANGE]
        pace = Pace(exchange.settings.write_rate)
        stream = web.StreamResponse(status=self.status, headers=self.headers)
        stream.headers.popall(hdrs.CONTENT_LENGTH, None)
        await stream.prepare(request)
        for event in self.events:
            await stream.write(event)
            exchange.gave(len(event))
            await pace.passed(len(event))
        return stream


def events(
    documents: Iterable[Any], *, named: bool = False, done: bool = False, end_of_line: str = "\n"
) -> EventsResponse:
    """Server-sent events. `named`: each has the name that its `type` is. `done`: `[DONE]` ends."""
    written = []
    for document in documents:
        name = f"event: {document['type']}{end_of_line}" if named else ""
        written.append(f"{name}data: {orjson.dumps(document).decode()}{end_of_line * 2}".encode())
    written += [b"data: [DONE]\n\n"] * done
    return EventsResponse(written, "text/event-stream")


def binary_events(typed: Iterable[tuple[str, Any]], **headers: str) -> EventsResponse:
    """AWS's event stream of events with their types."""
    written = [_frame(kind, orjson.dumps(document)) for kind, document in typed]
    return EventsResponse(written, "application/vnd.amazon.eventstream", **headers)


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
