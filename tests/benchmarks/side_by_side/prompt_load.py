"""Asks one side to answer prompts, whole or as streams."""

import asyncio
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Final

from tests.benchmarks.side_by_side import load
from tests.benchmarks.side_by_side.event_upstream import STAMP, seconds_since
from tests.benchmarks.side_by_side.sides import Side

_PIECE: Final = 1 << 16
_TAIL: Final = 1 << 10
"""An error is the last event."""


@dataclass(frozen=True)
class Prompt:
    """A request, as one side takes it."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def headers_at(self, side: Side) -> dict[str, str]:
        return {**side.headers, **self.headers, "Content-Type": "application/json"}


def streams(side: Side, prompt: Prompt, count: int) -> None:
    """`count` streams at once, each read to its end."""
    load.together([lambda: _whole(side, prompt, 1)] * count)


def answers(side: Side, prompt: Prompt, count: int, connections: int) -> None:
    """`count` times the same request."""
    load.together([lambda: _whole(side, prompt, count // connections)] * connections)


def _whole(side: Side, prompt: Prompt, count: int) -> None:
    connection = HTTPConnection(side.address)
    for _ in range(count):
        _begin(connection, side, prompt)
        answer = connection.getresponse()
        end = b""
        while piece := answer.read1(_PIECE):
            end = (end + piece)[-_TAIL:]
        answer.close()  # `read1` does not, at the end of a body of known length
        if answer.status != 200 or b'"error"' in end:
            raise RuntimeError(f"{side.name} answered {answer.status}: {end[-300:]!r}")
    connection.close()


def first_token(side: Side, prompt: Prompt, count: int) -> float:
    """The median time from a request to the first byte of its stream, in seconds."""
    connection, found = HTTPConnection(side.address), []
    for _ in range(count):
        began = time.perf_counter()
        _begin(connection, side, prompt)
        answer = connection.getresponse()
        answer.read1(1)
        found.append(time.perf_counter() - began)
        answer.read()
    connection.close()
    return statistics.median(found)


def _begin(connection: HTTPConnection, side: Side, prompt: Prompt) -> None:
    path = side.prefix + prompt.path
    connection.request("POST", path, prompt.body, prompt.headers_at(side))


# --- many open streams ----------------------------------------------------------------------------


async def lags(side: Side, prompt: Prompt, count: int) -> list[float]:
    """How many seconds each event of `count` streams took from the upstream, sorted.

    The streams begin one after the other within a second, so that their events do not meet.
    """
    loop, found = asyncio.get_running_loop(), list[float]()
    host, _, port = side.address.partition(":")
    request = _request(side, prompt)
    ended = []
    for _ in range(count):
        _, stream = await loop.create_connection(lambda: _Stream(request, found), host, int(port))
        ended.append(stream.ended)
        await asyncio.sleep(1 / count)
    if not all(await asyncio.gather(*ended)):
        raise RuntimeError(f"{side.name} did not send a stream to its end")
    return sorted(found)


def _request(side: Side, prompt: Prompt) -> bytes:
    headers = prompt.headers_at(side) | {
        "Host": side.address,
        "Content-Length": str(len(prompt.body)),
    }
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {side.prefix}{prompt.path} HTTP/1.1\r\n{fields}\r\n".encode() + prompt.body


class _Stream(asyncio.Protocol):
    """Costs as little as it can: it looks only for the stamps and the end."""

    def __init__(self, request: bytes, lags: list[float]) -> None:
        self._request = request
        self._lags = lags
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._lags.extend(map(seconds_since, STAMP.findall(data)))
        if data.endswith(b"0\r\n\r\n"):
            self.ended.set_result(True)
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(False)
