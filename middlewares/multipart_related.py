"""The multipart protocol: a part of JSON that describes the file, and a part with its bytes.

Any multipart type is read: browsers and Apps Script send `multipart/form-data`.
"""

from collections.abc import AsyncIterator
from typing import Any, Final, cast

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from middlewares.header_text import header_text
from middlewares.inbound_body import Reading, read_counted
from providers.body import Body
from providers.errors import invalid_argument
from providers.json_api.json_text import parse_clients_object
from providers.limits import MULTIPART_LINES, START_BODY

_READ_BYTES: Final = 64 << 10

# With these the bytes of a part are the file's own (RFC 2045 section 6).
_UNCHANGED: Final = ("7bit", "8bit", "binary")

# What aiohttp's reader raises for a malformed body.
_MALFORMED: Final = (ValueError, AssertionError, RuntimeError, HttpProcessingError)


async def parse_multipart(request: web.Request) -> tuple[dict[str, Any], str, Body]:
    """The file's description and type, and its bytes as they arrive, of a length not yet known."""
    if not request.content_type.startswith("multipart/") or not request.body_exists:
        raise _malformed("Content-Type must be multipart/related with a boundary")
    try:
        content = cast(StreamReader, _FewLines(request.content))
        reading, parts = Reading(request), MultipartReader(request.headers, content)
        first = await _part(reading, parts)
        document = await read_counted(request, _chunks(reading, first), START_BODY)
        second = await _part(reading, parts)
    except _MALFORMED as error:
        raise _malformed(_why(error)) from None
    if document is None:
        raise _malformed(
            f"the first part, JSON that describes the file, exceeds {START_BODY} bytes"
        )
    described = parse_clients_object(document, "the first part")
    mime_type = header_text(second.headers.get("Content-Type", ""))
    return described, mime_type, Body(_content(reading, second, parts), None)


class _FewLines:
    """The body as aiohttp's reader uses it, with a limit of lines outside the contents of parts.

    The reader skips any text before the first boundary, and never yields to the event loop while
    lines have arrived.
    """

    def __init__(self, body: StreamReader) -> None:
        self.read = body.read
        self.unread_data = body.unread_data
        self.at_eof = body.at_eof
        self._body = body
        self._left: int = MULTIPART_LINES

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"it has more than {MULTIPART_LINES} lines outside its two parts")
        return await self._body.readline(max_line_length=max_line_length)


async def _part(reading: Reading, parts: MultipartReader) -> BodyPartReader:
    part = await reading.of(parts.next())
    if not isinstance(part, BodyPartReader):
        raise _malformed("it must have two parts: JSON, then the file")
    encoding = part.headers.get("Content-Transfer-Encoding", "binary").strip().lower()
    if encoding not in _UNCHANGED:
        raise _malformed(f"Content-Transfer-Encoding must be one of {', '.join(_UNCHANGED)}")
    return part


async def _chunks(reading: Reading, part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await reading.bytes_of(part.read_chunk(_READ_BYTES)):
        yield chunk


async def _content(
    reading: Reading, part: BodyPartReader, parts: MultipartReader
) -> AsyncIterator[bytes]:
    """The file's bytes. Raises if the closing boundary is missing."""
    try:
        async for chunk in _chunks(reading, part):
            yield chunk
        surplus = await reading.of(parts.next())
    except _MALFORMED as error:
        raise _malformed(_why(error)) from None
    if surplus is not None:
        raise _malformed("there are more than two parts")


def _why(error: Exception) -> str:
    return "a part has bad headers" if isinstance(error, HttpProcessingError) else str(error)


def _malformed(why: str) -> Exception:
    return invalid_argument(f"not a multipart/related upload: {why}")
