"""How much is read from a socket ahead of its reader: little, or more for some large streams.

With small buffers each read of a large stream fills them, and so pauses and resumes the transport,
and the parser runs once more. Large ones for all streams would need too much memory, so the fewer
streams there are, the larger buffers they get.

Beyond its public interface this file uses `_SelectorTransport.max_size` of asyncio, the size of one
read from a socket. Transports without it, such as those of TLS, have only the larger buffer.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import StreamReader

# aiohttp pauses a transport beyond twice this size (streaming.md section 2).
READ_BUFFER_BYTES: Final = 64 << 10

# A read before a request is known is a connection's memory.
READ_BYTES: Final = 64 << 10
# asyncio's own size, of connections to upstreams.
_ASYNCIO_READ_BYTES: Final = 256 << 10

LARGE_STREAM: Final = 1 << 20
"""Bytes. Smaller streams use none of the buffers that only a few may have."""

Release = Callable[[], None]


@dataclass(slots=True)
class Tier:
    """Buffers for `left` more streams. A read of twice `buffer` needs no pause."""

    left: int
    buffer: int


class LargeBuffers:
    """Gives the buffers of the first tier that has some left.

    A stream that begins while there is no other is read with a buffer of at least `alone` bytes,
    until another begins. With many such reads, bytes leave the processor's cache before they are
    sent.
    """

    def __init__(self, *tiers: Tier, alone: int = 0) -> None:
        self._tiers = tiers
        self._alone = alone
        self._streams = 0
        self._was_alone: tuple[asyncio.Transport, int] | None = None

    def give(self, stream: StreamReader, transport: asyncio.Transport | None) -> Release | None:
        """Enlarges the buffers of a stream. The caller must call the result when the stream ends.

        None if too many streams have larger buffers.
        """
        tier = next((tier for tier in self._tiers if tier.left), None)
        if transport is None or tier is None:
            return None
        buffer = tier.buffer
        if not self._streams:
            self._was_alone = transport, 2 * buffer
            buffer = max(buffer, self._alone)
        elif self._was_alone is not None:
            _limit_reads(*self._was_alone)
            self._was_alone = None
        tier.left -= 1
        self._streams += 1
        stream.set_read_chunk_size(buffer)
        usual = getattr(transport, "max_size", None)
        if usual is not None:
            # A connection may be used again before its last stream has given its buffers back.
            usual = min(usual, _ASYNCIO_READ_BYTES)
            transport.max_size = 2 * buffer  # type: ignore[attr-defined]

        def release() -> None:
            tier.left += 1
            self._streams -= 1
            if not self._streams:
                self._was_alone = None
            if usual is not None:
                transport.max_size = usual  # type: ignore[attr-defined]

        return release


def _limit_reads(transport: asyncio.Transport, size: int) -> None:
    if getattr(transport, "max_size", 0) > size:
        transport.max_size = size  # type: ignore[attr-defined]


def read_little(transport: asyncio.Transport) -> None:
    """Each read of this transport takes little, until its stream gets larger buffers."""
    if hasattr(transport, "max_size"):
        transport.max_size = READ_BYTES


MEDIUM_BUFFERS: Final = LargeBuffers(Tier(512, 128 << 10))
"""For bodies that take several reads and are no large streams."""

LARGE_BUFFERS: Final = LargeBuffers(
    Tier(4, 256 << 10), Tier(12, 128 << 10), Tier(48, READ_BUFFER_BYTES), alone=512 << 10
)
"""Those of this process, as its memory is one."""
