"""How much is read from a socket ahead of its reader: little, or more for a few large streams.

With the usual buffer each read of a large stream fills it, and so pauses and resumes the transport.
Larger buffers save a third of the CPU time of one large stream, and 6 % of that of 16
(`make bench`). For all streams they would need too much memory, so only a few may have them.

Beyond its public interface this file uses `_SelectorTransport.max_size` of asyncio, the size of one
read from a socket. Transports without it, such as those of TLS, have only the larger buffer.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import StreamReader

# As fast as the default, and bounds memory (streaming.md section 2).
READ_BUFFER_BYTES: Final = 64 << 10

LARGE_STREAM: Final = 1 << 20
"""Bytes. For smaller streams larger buffers are not worth it."""

Release = Callable[[], None]


# aiohttp pauses a transport beyond twice this size, so one read of the size below needs no pause.
_LARGE_BUFFER: Final = 256 << 10
_LARGE_READ: Final = 512 << 10


class LargeBuffers:
    """Gives larger buffers to at most `most` streams at once."""

    def __init__(self, most: int = 4) -> None:
        self._left = most

    def give(self, stream: StreamReader, transport: asyncio.Transport | None) -> Release | None:
        """Enlarges the buffers of a stream. The caller must call the result when the stream ends.

        None if too many streams have larger buffers.
        """
        if transport is None or not self._left:
            return None
        self._left -= 1
        stream.set_read_chunk_size(_LARGE_BUFFER)
        usual = getattr(transport, "max_size", None)
        if usual is not None:
            transport.max_size = _LARGE_READ  # type: ignore[attr-defined]

        def release() -> None:
            self._left += 1
            if usual is not None:
                transport.max_size = usual  # type: ignore[attr-defined]

        return release


LARGE_BUFFERS: Final = LargeBuffers()
"""Those of this process, as its memory is one."""
