"""Ends a client's connection so that it does not look like the regular end of a body."""

import asyncio
import socket
import struct
from typing import Final

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for no seconds."""


def reset(transport: asyncio.WriteTransport) -> None:
    """With a mere close, a body without a length is whole to a client of HTTP/1.0."""
    peer = transport.get_extra_info("socket")
    if peer is not None and not transport.is_closing():
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
