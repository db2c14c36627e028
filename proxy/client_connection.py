"""Ends a client's connection so that it does not look like the regular end of a body."""

import asyncio
import socket
import struct
from typing import Final

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for zero seconds."""


def reset(transport: asyncio.WriteTransport) -> None:
    """After a normal close, an HTTP/1.0 client takes a body without a length for complete."""
    peer = transport.get_extra_info("socket")
    if peer is not None and not transport.is_closing():
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
