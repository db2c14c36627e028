"""Changes to a valid request: to its JSON, its lines, its target, its headers, and its bytes."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from tests.fuzz.valid_requests import Request

Text = tuple[str, ...]

VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    0.5,
    1e308,
    2**31,
    2**63,
    2**64,
    10**400,
    float("nan"),
    float("inf"),
    "",
    " ",
    "\x00",
    "\ud800",
    "\u202e",
    "é" * 100,
    "a" * 5000,
    "../../etc/passwd",
    "files/x",
    "gs://bucket/x",
    "1e400",
    [],
    {},
    [[]],
    [None],
    {"": ""},
    {"a": {"b": {"c": [1, 2, 3]}}},
)
WORDS: Final[Text] = (
    "",
    "%",
    "%00",
    "%2e%2e",
    "%2F",
    "%ff",
    "%zz",
    "..",
    "//",
    "a" * 300,
    "a" * 9000,
    ":",
    ":cancel",
    ":download",
    "?",
    "&",
    "#",
    "é",
    "files/",
    "http://host/",
    "upload/",
    "upload_id=",
    "pageSize=-1",
    "pageSize=99999999999999999999",
    "pageToken=" + "A" * 100,
    "key=x",
    "alt=sse",
    "$fields=*",
    "uploadType=media",
    "uploadType=resumable",
)
HEADERS: Final[tuple[tuple[str, str], ...]] = (
    ("Expect", "100-continue"),
    ("Expect", "something"),
    ("Connection", "x-goog-api-key, close"),
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("TE", "trailers"),
    ("Trailer", "X-Goog-Upload-Offset"),
    ("Content-Encoding", "gzip"),
    ("Content-Encoding", "gzip, br"),
    ("Accept-Encoding", "*;q=0"),
    ("Range", "bytes=0-5"),
    ("Range", "bytes=5-0,,"),
    ("If-Match", "*"),
    ("If-None-Match", '"x"'),
    ("Origin", "http://elsewhere"),
    ("Origin", "null"),
    ("Host", ""),
    ("Host", "a b"),
    ("Host", "elsewhere:99999"),
    ("Cookie", "a=b"),
    ("Authorization", "Bearer x"),
    ("Authorization", "Basic eDp5"),
    ("X-Forwarded-For", "1.2.3.4, ::1, unknown"),
    ("X-Forwarded-Proto", "javascript"),
    ("X-Forwarded-Host", "[::"),
    ("X-Forwarded-Prefix", "//x/.."),
    ("Forwarded", "for=_x;proto=https"),
    ("x-model-provider", "gemini"),
    ("x-model-provider", "no-such"),
    ("x-model-provider", ""),
    ("x-goog-api-key", "short"),
    ("x-goog-api-key", "k" * 5000),
    ("X-Server-Timeout", "-1"),
    ("X-Server-Timeout", "1e99"),
    ("x-ferry-results", "native"),
    ("x-ferry-results", "no-such"),
    ("x-ferry-expires-after", "3600"),
    ("x-ferry-expires-after", "9" * 40),
    ("x-ferry-idempotency-key", "k" * 300),
    ("x-ferry-no-such", "1"),
    ("x-ferry-bedrock-s3-uri", "s3://x"),
    ("x-ferry-bedrock-region", "nowhere-1"),
    ("X-Goog-Upload-Command", "start, upload, finalize"),
    ("X-Goog-Upload-Command", "\xff"),
    ("X-Goog-Upload-Offset", "-1"),
    ("X-Goog-Upload-Offset", "9" * 30),
    ("X-Goog-Upload-Header-Content-Length", "-1"),
    ("X-Goog-Upload-Header-Content-Type", "image/\x00png"),
    ("X-Goog-Upload-File-Name", '"; filename="x'),
    ("Content-Type", "multipart/related"),
    ("Content-Type", 'multipart/related; boundary="' + "b" * 200 + '"'),
    ("Content-Type", "application/json; charset=utf-16"),
    ("Content-Type", ";"),
    ("traceparent", "00-0-0-0"),
    ("X" * 200, "Y" * 7000),
)
METHODS: Final[Text] = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "G\x7f",
)


@dataclass(frozen=True)
class Message:
    """The bytes to send. `framed`: they are one complete request, so an answer must come."""

    data: bytes
    framed: bool
    method: str


class Mutator:
    """Draws changes from `random`. One request in five is sent as it is."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def message(self, request: Request) -> Message:
        changes: list[Callable[[Request], Request]] = [
            self._body,
            self._body,
            self._body,
            self._target,
            self._header,
            self._method,
        ]
        for change in self._random.choices(changes, k=self._random.choice([0, 1, 1, 2, 4])):
            request = change(request)
        kind = self._random.random()
        if kind < 0.7:
            return Message(_with_length(request), True, request.method)
        if kind < 0.8:
            return Message(self._chunked(request), True, request.method)
        return Message(self._damaged(_with_length(request)), False, request.method)

    # --- the parts of a request ------------------------------------------------------------------

    def _body(self, request: Request) -> Request:
        if not request.body:
            return request
        lines = request.body.split(b"\n")
        number = self._random.randrange(len(lines))
        try:
            document = json.loads(lines[number])
        except (ValueError, RecursionError):
            return replace(request, body=self._damaged(request.body))
        lines[number] = self._as_text(self._changed(document))
        return replace(request, body=b"\n".join(lines))

    def _changed(self, document: Any) -> Any:
        """`document` with one part, at any depth, changed."""
        if not isinstance(document, dict | list) or not document or self._random.random() < 0.15:
            return self._value(document)
        keys: Iterable[Any] = document if isinstance(document, dict) else range(len(document))
        key = self._random.choice(list(keys))
        kind = self._random.random()
        if kind < 0.7:
            document[key] = self._changed(document[key])
        elif kind < 0.8:
            del document[key]
        elif isinstance(document, list):
            document.extend([document[key]] * self._random.choice([1, 3, 200]))
        else:
            document[str(self._random.choice(["", "no such", "name", "\ud800", key]))] = (
                self._value(document[key])
            )
        return document

    def _value(self, old: Any) -> Any:
        kind = self._random.random()
        if kind < 0.1:
            return [old]
        if kind < 0.2:
            return {"a": old}
        return self._random.choice(VALUES)

    def _as_text(self, document: Any) -> bytes:
        text = json.dumps(document)
        kind = self._random.random()
        if kind < 0.05:  # deeper than any reader accepts
            depth = self._random.choice([50, 200, 300, 5000])
            text = text.replace('"hello"', '{"a":' * depth + "1" + "}" * depth)
        elif kind < 0.1:  # every member twice
            text = text.replace('{"', '{"text": 1, "')
        elif kind < 0.12:
            text = text[: self._random.randrange(len(text) + 1)]
        return text.encode()

    def _target(self, request: Request) -> Request:
        target, word = request.target, self._random.choice(WORDS)
        at = self._random.randrange(len(target) + 1)
        until = min(at + self._random.choice([0, 0, 1, 5]), len(target))
        return replace(request, target=target[:at] + word + target[until:])

    def _header(self, request: Request) -> Request:
        headers = list(request.headers)
        kind = self._random.random()
        if headers and kind < 0.2:
            headers.remove(self._random.choice(headers))
        elif headers and kind < 0.3:
            headers.append(self._random.choice(headers))
        elif headers and kind < 0.5:
            at = self._random.randrange(len(headers))
            value = self._random.choice(HEADERS)[1] or str(self._random.choice(VALUES))
            headers[at] = (headers[at][0], value)
        else:
            headers.append(self._random.choice(HEADERS))
        return replace(request, headers=tuple(headers))

    def _method(self, request: Request) -> Request:
        return replace(request, method=self._random.choice(METHODS))

    # --- bytes -----------------------------------------------------------------------------------

    def _chunked(self, request: Request) -> bytes:
        chunks = []
        left = request.body
        while left:
            size = self._random.choice([1, 7, 100, 5000])
            chunks.append(b"%x\r\n%s\r\n" % (min(size, len(left)), left[:size]))
            left = left[size:]
        chunks.append(b"0\r\n\r\n")
        return _head(request.with_headers(("Transfer-Encoding", "chunked"))) + b"".join(chunks)

    def _damaged(self, data: bytes) -> bytes:
        for _ in range(self._random.choice([1, 1, 2, 5])):
            at = self._random.randrange(len(data) + 1)
            piece = self._random.choice(PIECES)
            kind = self._random.random()
            if kind < 0.3:
                data = data[:at] + piece + data[at:]
            elif kind < 0.6:
                data = data[:at] + bytes([self._random.randrange(256)]) + data[at + 1 :]
            elif kind < 0.7:
                data = data[:at]
            elif kind < 0.9:
                end = at + self._random.choice([1, 10, 100])
                data = data[:at] + data[end:]
            else:
                data = data[:at] + data[at // 2 : at] + data[at:]
        return data


PIECES: Final = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\x00",
    b"\xff\xfe",
    b" ",
    b": ",
    b"\r\n\r\n",
    b"\r\nContent-Length: 5",
    b"\r\nContent-Length: -1",
    b"\r\nTransfer-Encoding: chunked",
    b"\r\nTransfer-Encoding: gzip, chunked",
    b"\r\nTransfer-Encoding: chunked\r\nContent-Length: 3",
    b"\r\n folded",
    b"\r\n\tfolded",
    b"fffffffffffffffff\r\n",
    b"5;name=value\r\nhello\r\n0\r\n\r\n",
    b"-5\r\n",
    b"HTTP/1.1",
    b"HTTP/0.9",
    b"HTTP/2.0",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"--limit",
    b"--limit--",
    b'{"a":' * 300,
    b"[" * 2000,
)


def _head(request: Request) -> bytes:
    headers = (("Host", "127.0.0.1"), *request.headers, ("Connection", "close"))
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{n}: {v}" for n, v in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogatepass")


def _with_length(request: Request) -> bytes:
    return _head(request.with_headers(("Content-Length", str(len(request.body))))) + request.body
