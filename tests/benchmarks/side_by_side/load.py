"""Loads one side over blocking sockets, which cost the load's core less than an event loop."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from typing import Any, Final
from urllib.parse import urlsplit

from tests.benchmarks.scale import MIB
from tests.benchmarks.side_by_side.sides import Side

CHUNK: Final = 8 * MIB
_PIECE: Final = MIB
_ZEROS: Final = memoryview(bytes(CHUNK))
_BYTES: Final = "application/octet-stream"
_LINES: Final = "application/jsonl"


def upload(side: Side, size: int, chunk: int) -> None:
    """One file of zeros, in requests of `chunk` bytes over one connection."""
    _send(side, size, chunk, _BYTES, lambda offset, length: _ZEROS[:length])


def upload_lines(side: Side, data: bytes) -> str:
    """The name of a new file with these lines."""
    view = memoryview(data)
    answer = _send(
        side, len(data), CHUNK, _LINES, lambda offset, length: view[offset : offset + length]
    )
    return str(json.loads(answer)["file"]["name"])


def _send(
    side: Side, size: int, chunk: int, content_type: str, part: Callable[[int, int], memoryview]
) -> bytes:
    """The answer to the last chunk. `part` gives at most CHUNK bytes of the file at an offset."""
    connection = HTTPConnection(side.address)
    headers = {
        **side.headers,
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": str(size),
        "X-Goog-Upload-Header-Content-Type": content_type,
        "Content-Type": "application/json",
    }
    path = f"{side.prefix}/upload/v1beta/files"
    started, body = _answer(connection, "POST", path, headers, b'{"file": {"displayName": "a"}}')
    parts = urlsplit(started.headers["X-Goog-Upload-URL"])
    for offset in range(0, size, chunk):
        length = min(chunk, size - offset)
        last = offset + length == size
        connection.putrequest("POST", f"{parts.path}?{parts.query}")
        connection.putheader("X-Goog-Upload-Command", "upload, finalize" if last else "upload")
        connection.putheader("X-Goog-Upload-Offset", str(offset))
        connection.putheader("Content-Length", str(length))
        connection.putheader("Content-Type", content_type)
        connection.endheaders()
        for begin in range(offset, offset + length, CHUNK):
            connection.send(part(begin, min(CHUNK, offset + length - begin)))
        answer, body = _read(connection)
        if answer.headers["X-Goog-Upload-Status"] != ("final" if last else "active"):
            raise RuntimeError(f"{side.name} answered the chunk at {offset} wrongly")
    connection.close()
    return body


def uploads(side: Side, connections: int, size: int, chunk: int) -> None:
    """`size` bytes in all, as one file on each connection."""
    together([lambda: upload(side, size // connections, chunk)] * connections)


def download(side: Side, size: int) -> None:
    """A file of the benchmark's own upstream."""
    path = f"/download/v1beta/files/b{size}:download?alt=media"
    received, _ = fetch(side, path)
    if received != size:
        raise RuntimeError(f"{side.name} sent {received} bytes of {size}")


def fetch(side: Side, path: str) -> tuple[int, int]:
    """How many bytes an answer has, and how many line ends."""
    connection = HTTPConnection(side.address)
    connection.request("GET", side.prefix + path, headers=dict(side.headers))
    answer = connection.getresponse()
    buffer, size, lines = bytearray(_PIECE), 0, 0
    while received := answer.readinto(buffer):
        size += received
        lines += buffer.count(b"\n", 0, received)
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{side.name} answered {answer.status}")
    return size, lines


def content(side: Side, path: str) -> bytes:
    connection = HTTPConnection(side.address)
    _, body = _answer(connection, "GET", side.prefix + path, side.headers)
    connection.close()
    return body


def asks(side: Side, method: str, path: str, count: int, connections: int) -> None:
    """`count` times the same request."""

    def ask() -> None:
        connection = HTTPConnection(side.address)
        for _ in range(count // connections):
            _answer(connection, method, side.prefix + path, side.headers)
        connection.close()

    together([ask] * connections)


def call(side: Side, path: str, body: object = None) -> Any:
    """The document that answers one request."""
    connection = HTTPConnection(side.address)
    if body is None:
        _, found = _answer(connection, "GET", side.prefix + path, side.headers)
    else:
        headers = {**side.headers, "Content-Type": "application/json"}
        data = json.dumps(body).encode()
        _, found = _answer(connection, "POST", side.prefix + path, headers, data)
    connection.close()
    return json.loads(found)


def together(calls: list[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(len(calls)) as threads:
        for done in [threads.submit(call) for call in calls]:
            done.result()


def _answer(
    connection: HTTPConnection,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> tuple[HTTPResponse, bytes]:
    connection.request(method, path, body, headers)
    return _read(connection)


def _read(connection: HTTPConnection) -> tuple[HTTPResponse, bytes]:
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"the answer was {answer.status}: {body[:300]!r}")
    return answer, body
