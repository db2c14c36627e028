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
_DATA: Final = memoryview(bytes(CHUNK))


def upload(side: Side, size: int, chunk: int) -> None:
    """One file, in requests of `chunk` bytes over one connection."""
    connection = HTTPConnection(side.address)
    headers = {
        **side.headers,
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": str(size),
        "Content-Type": "application/json",
    }
    path = f"{side.prefix}/upload/v1beta/files"
    started, _ = _answer(connection, "POST", path, headers, b'{"file": {"displayName": "a"}}')
    parts = urlsplit(started.headers["X-Goog-Upload-URL"])
    for offset in range(0, size, chunk):
        length = min(chunk, size - offset)
        last = offset + length == size
        connection.putrequest("POST", f"{parts.path}?{parts.query}")
        connection.putheader("X-Goog-Upload-Command", "upload, finalize" if last else "upload")
        connection.putheader("X-Goog-Upload-Offset", str(offset))
        connection.putheader("Content-Length", str(length))
        connection.putheader("Content-Type", "application/octet-stream")
        connection.endheaders()
        for begin in range(0, length, CHUNK):
            connection.send(_DATA[: min(CHUNK, length - begin)])
        answer, _ = _read(connection)
        if answer.headers["X-Goog-Upload-Status"] != ("final" if last else "active"):
            raise RuntimeError(f"{side.name} answered the chunk at {offset} wrongly")
    connection.close()


def uploads(side: Side, connections: int, size: int, chunk: int) -> None:
    """`size` bytes in all, as one file on each connection."""
    together([lambda: upload(side, size // connections, chunk)] * connections)


def download(side: Side, size: int) -> None:
    connection = HTTPConnection(side.address)
    path = f"{side.prefix}/download/v1beta/files/b{size}:download?alt=media"
    connection.request("GET", path, headers=dict(side.headers))
    answer = connection.getresponse()
    buffer, left = memoryview(bytearray(_PIECE)), size
    while received := answer.readinto(buffer):
        left -= received
    connection.close()
    if answer.status != 200 or left:
        raise RuntimeError(f"{side.name} answered {answer.status}, {left} bytes are missing")


def gets(side: Side, path: str, count: int, connections: int) -> None:
    """`count` requests for one path."""

    def ask() -> None:
        connection = HTTPConnection(side.address)
        for _ in range(count // connections):
            _answer(connection, "GET", side.prefix + path, side.headers)
        connection.close()

    together([ask] * connections)


def call(side: Side, path: str, body: object = None) -> Any:
    """The document that answers one request."""
    connection = HTTPConnection(side.address)
    headers = {**side.headers, "Content-Type": "application/json"}
    method, data = ("GET", None) if body is None else ("POST", json.dumps(body).encode())
    _, found = _answer(connection, method, side.prefix + path, headers, data)
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
