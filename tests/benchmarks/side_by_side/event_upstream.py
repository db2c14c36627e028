"""A provider that answers prompts and costs almost nothing: its answers are made beforehand.

`python -m tests.benchmarks.side_by_side.event_upstream KIND [--events N] [--rate R]` prints a line
of JSON with its URL. A stream has about N events, R a second or as fast as the socket takes them;
another request gets the whole answer. Each piece of a stream's text says when it was sent
(`STAMP`), except at Bedrock, whose events have checksums.
"""

import argparse
import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from tests.benchmarks.batches import MODELS
from tests.fakes.anthropic.answers import answer as anthropic_answer
from tests.fakes.anthropic.message_stream import message_events
from tests.fakes.bedrock.converse_answers import answer_converse
from tests.fakes.bedrock.converse_stream import converse_events
from tests.fakes.event_stream import EventsResponse, binary_events, events
from tests.fakes.gemini.chunks import stream_chunks
from tests.fakes.gemini.generation import generate
from tests.fakes.mistral.answers import chat as mistral_answer
from tests.fakes.mistral.chat_stream import chat_chunks as mistral_chunks
from tests.fakes.openai.answers import chat as openai_answer
from tests.fakes.openai.chat_stream import chat_chunks as openai_chunks
from tests.fakes.prompt_cache import Cached

STAMP: Final = re.compile(rb'"([a-j]{20})"')
"""`time.monotonic_ns()`, which all processes of a machine share, in letters: a text of many digits
costs more to parse."""

_LETTERS: Final = bytes.maketrans(b"0123456789", b"abcdefghij")
_DIGITS: Final = bytes.maketrans(b"abcdefghij", b"0123456789")
_PIECE: Final = b'"....."'
_PIECE_LENGTH: Final = 5
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_LAST_CHUNK: Final = b"0\r\n\r\n"
_STREAM: Final = re.compile(rb'^POST [^ ]*stream|"stream": *true', re.IGNORECASE)

Document = dict[str, Any]


@dataclass(frozen=True)
class Answers:
    whole: bytes
    stream: EventsResponse


def _answers(make: Callable[[int], Document], stream: Callable[..., Any], count: int) -> Answers:
    return Answers(json.dumps(make(0)).encode(), stream(make(count * _PIECE_LENGTH)))


def _openai(count: int) -> Answers:
    turns = [{"role": "user", "content": "hi"}]
    make = partial(openai_answer, {"model": MODELS["openai"], "messages": turns})
    return _answers(make, lambda whole: events(openai_chunks(whole, usage=True), done=True), count)


def _mistral(count: int) -> Answers:
    turns = [{"role": "user", "content": "hi"}]
    make = partial(mistral_answer, {"model": MODELS["mistral"], "messages": turns})
    return _answers(make, lambda whole: events(mistral_chunks(whole), done=True), count)


def _anthropic(count: int) -> Answers:
    turns = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    asked = {"model": MODELS["anthropic"], "messages": turns, "max_tokens": 1_000_000}
    make = partial(anthropic_answer, asked, "message")
    return _answers(make, lambda whole: events(message_events(whole), named=True), count)


def _bedrock(count: int) -> Answers:
    asked = {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
    make = partial(answer_converse, asked, cached=Cached())
    return _answers(make, lambda whole: binary_events(converse_events(whole)), count)


def _gemini(count: int) -> Answers:
    asked = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    make = partial(generate, MODELS["gemini"], asked)
    written = partial(events, end_of_line="\r\n")
    return _answers(make, lambda whole: written(stream_chunks(whole)), count)


ANSWERS: Final[Mapping[str, Callable[[int], Answers]]] = {
    "gemini": _gemini,
    "openai": _openai,
    "anthropic": _anthropic,
    "mistral": _mistral,
    "bedrock": _bedrock,
}


def stamp() -> bytes:
    return (b"%020d" % time.monotonic_ns()).translate(_LETTERS)


def seconds_since(stamp: bytes) -> float:
    return (time.monotonic_ns() - int(stamp.translate(_DIGITS))) / 1e9


class _Connection(asyncio.Protocol):
    """One request at a time, as HTTP clients send them."""

    def __init__(self, answers: Answers, interval: float) -> None:
        self._answers = answers
        self._interval = interval
        self._stamps = answers.stream.content_type == "text/event-stream"
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, _, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        complete = len(body) >= int(length[1]) if length else body.endswith(_LAST_CHUNK)
        if complete:
            asked, self._received = self._received, b""
            self._answer(asked)

    def _answer(self, asked: bytes) -> None:
        assert self._transport is not None
        if not _STREAM.search(asked):
            whole = self._answers.whole
            head = f"Content-Type: application/json\r\nContent-Length: {len(whole)}"
            self._transport.write(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + whole)
            return
        stream = self._answers.stream
        head = f"Content-Type: {stream.content_type}\r\nTransfer-Encoding: chunked"
        self._transport.write(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())
        if self._interval:
            self._send_from(stream.events, 0, self._loop.time())
        else:
            for event in stream.events:
                self._send(event)
            self._transport.write(_LAST_CHUNK)

    def _send_from(self, left: Sequence[bytes], place: int, due: float) -> None:
        """The event at `place`, and the others when they are due."""
        if self._transport is None:
            return
        if place == len(left):
            self._transport.write(_LAST_CHUNK)
            return
        self._send(left[place])
        due += self._interval
        self._loop.call_at(due, self._send_from, left, place + 1, due)

    def _send(self, event: bytes) -> None:
        if self._transport is not None:
            if self._stamps:
                event = event.replace(_PIECE, b'"%b"' % stamp())
            self._transport.write(b"%x\r\n%b\r\n" % (len(event), event))


async def serve(kind: str, count: int, rate: float) -> None:
    answers = ANSWERS[kind](count)
    interval = 1 / rate if rate else 0.0
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(answers, interval), "127.0.0.1", 0, backlog=1024
    )
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}), flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=ANSWERS)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--rate", type=float, default=0)
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.kind, chosen.events, chosen.rate))


if __name__ == "__main__":
    main()
