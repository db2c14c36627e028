"""Server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html says."""

import re
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass, field
from typing import Final

from providers.json_api.stream_events import check_event_length

_END_OF_LINE: Final = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


async def event_data(chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """The data of each event that has some. Raises UpstreamError for an event that is too long.

    An event without its blank line at the end of the stream counts too: some servers leave it out.
    A body that is a JSON object is one event: some servers do not stream, or refuse with 200.
    """
    is_object: bool | None = None  # None until something else than white space has come
    event = _Event()
    rest = bytearray()  # of a line; it is not read again with each chunk
    held = b""
    async for chunk in chunks:
        text = held + chunk
        if is_object is None and (start := text.removeprefix(_BYTE_ORDER_MARK).lstrip()):
            is_object = start.startswith(b"{")
        if is_object:
            rest += chunk if rest else chunk.lstrip()
            check_event_length(len(rest))
            continue
        # A line feed may follow in the next chunk.
        held = b"\r" if text.endswith(b"\r") else b""
        *lines, begun = _END_OF_LINE.split(text.removesuffix(b"\r"))
        if lines:
            lines[0] = bytes(rest) + lines[0]
            rest.clear()
        rest += begun
        for line in lines:
            if line:
                event.add(line)
            elif data := event.take():
                yield data
        check_event_length(len(event.data) + len(rest))
    if is_object:
        yield bytes(rest)
        return
    event.add(bytes(rest))
    if data := event.take():
        yield data


@dataclass(slots=True)
class _Event:
    """`data` has a line feed after each of its lines, also after empty ones."""

    data: bytearray = field(default_factory=bytearray)

    def add(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        # Only the first line of a stream can have the mark. llama.cpp wrote errors as a field:
        # https://github.com/ggml-org/llama.cpp/pull/16109
        if name.removeprefix(_BYTE_ORDER_MARK) in (b"data", b"error"):
            self.data += value.removeprefix(b" ") + b"\n"
            check_event_length(len(self.data))

    def take(self) -> bytes:
        """Empty if the event has none."""
        data = bytes(self.data[:-1])
        self.data.clear()
        return data
