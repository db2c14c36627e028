"""Server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html says."""

import re
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass, field
from typing import Final

from providers.json_api.stream_events import check_event_length

_END_OF_LINE: Final = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


async def event_data(chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """The data of each event. Raises UpstreamError for an event that is too long.

    An event without its blank line at the end of the stream counts too: some servers leave it out.
    """
    event = _Event()
    rest = b""
    async for chunk in chunks:
        text = rest + chunk
        # A line feed may follow in the next chunk.
        complete = len(text) - text.endswith(b"\r")
        *lines, rest = _END_OF_LINE.split(text[:complete])
        rest += text[complete:]
        for line in lines:
            if not line and event.data:
                yield event.take()
            event.add(line)
        check_event_length(event.size + len(rest))
    event.add(rest.removesuffix(b"\r"))
    if event.data:
        yield event.take()


@dataclass(slots=True)
class _Event:
    data: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        # Only the first line of a stream can have the mark.
        if name.removeprefix(_BYTE_ORDER_MARK) == b"data":
            self.data.append(value.removeprefix(b" "))
            self.size += len(value)
            check_event_length(self.size)

    def take(self) -> bytes:
        data = b"\n".join(self.data)
        self.data, self.size = [], 0
        return data
