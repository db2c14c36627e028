"""A strict streaming multipart parser: exact delimiters, no preamble, nothing after the end."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

CRLF = b"\r\n"
HEADER_LIMIT = 16 * 1024
PARAMETER = re.compile(r';\s*([A-Za-z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))')


class MultipartError(Exception):
    """The bytes are not a valid multipart body."""


@dataclass
class Part:
    """One part; read its body before asking for the next part."""

    headers: dict[str, str]
    body: AsyncIterator[bytes]

    async def text(self, limit: int = 4096) -> str:
        value = b""
        async for chunk in self.body:
            value += chunk
            if len(value) > limit:
                raise MultipartError("a form field is too long")
        return _decoded(value)


def boundary_of(content_type: str, wanted: str) -> bytes:
    """The boundary, if the content type is `wanted`; raises MultipartError."""
    kind, parameters = split_header(content_type)
    boundary = parameters.get("boundary", "")
    if kind != wanted or not 1 <= len(boundary) <= 70:
        raise MultipartError(f"the content type must be {wanted} with a boundary")
    return boundary.encode()


def split_header(value: str) -> tuple[str, dict[str, str]]:
    """`form-data; name="file"` -> `("form-data", {"name": "file"})`."""
    kind, mark, rest = value.partition(";")
    parameters: dict[str, str] = {}
    position, text = 0, mark + rest
    while position < len(text.rstrip()):
        found = PARAMETER.match(text, position)
        if found is None:
            raise MultipartError(f"malformed header parameters: {value!r}")
        name, quoted, token = found.groups()
        if name.lower() in parameters:
            raise MultipartError(f"header parameter {name} given twice")
        parameters[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) if token is None else token
        position = found.end()
    return kind.strip().lower(), parameters


class MultipartReader:
    def __init__(self, chunks: AsyncIterator[bytes], boundary: bytes) -> None:
        self._chunks = chunks
        self._delimiter = CRLF + b"--" + boundary
        # No line precedes the first delimiter, so the line end is added here.
        self._buffer = CRLF

    async def parts(self) -> AsyncIterator[Part]:
        if await self._take(len(self._delimiter)) != self._delimiter:
            raise MultipartError("the body does not start with its boundary")
        while (mark := await self._take(2)) == CRLF:
            part = Part(await self._headers(), self._body())
            yield part
            async for _ in part.body:
                raise MultipartError("a part was left unread")
        if mark != b"--":
            raise MultipartError("a boundary is followed by neither a part nor the end")
        while await self._more():
            if len(self._buffer) > len(CRLF):
                break
        if self._buffer not in (b"", CRLF):
            raise MultipartError("there are bytes after the closing boundary")

    async def _more(self) -> bool:
        async for chunk in self._chunks:
            self._buffer += chunk
            return True
        return False

    async def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            if not await self._more():
                raise MultipartError("the body ends without its closing boundary")
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    async def _headers(self) -> dict[str, str]:
        end = CRLF + CRLF
        while end not in self._buffer:
            if len(self._buffer) > HEADER_LIMIT or not await self._more():
                raise MultipartError("a part's headers have no end")
        block, _, self._buffer = self._buffer.partition(end)
        headers: dict[str, str] = {}
        for line in _decoded(block).split("\r\n"):
            name, mark, value = line.partition(":")
            if not mark or name.lower() in headers:
                raise MultipartError(f"malformed part header {line!r}")
            headers[name.lower()] = value.strip()
        return headers

    async def _body(self) -> AsyncIterator[bytes]:
        keep = len(self._delimiter) - 1
        while (found := self._buffer.find(self._delimiter)) < 0:
            if len(self._buffer) > keep:
                ready, self._buffer = self._buffer[:-keep], self._buffer[-keep:]
                yield ready
            if not await self._more():
                raise MultipartError("the body ends without its closing boundary")
        ready = self._buffer[:found]
        self._buffer = self._buffer[found + len(self._delimiter) :]
        if ready:
            yield ready


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise MultipartError("a header or a field is not UTF-8") from None
