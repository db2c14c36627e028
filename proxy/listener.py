"""Listens on an address, and accepts connections up to the limits.

asyncio's own servers have no limits. When no descriptor is left, they log an error for every
connection that waits, each second.
"""

import asyncio
import errno
import logging
import socket
import ssl
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from yarl import URL

from proxy.connection import Connection, ConnectionServer
from proxy.connection_slots import ConnectionSlots, Release
from proxy.http_errors import TOO_MANY_CONNECTIONS

# Connections beyond the limits, which get only an answer that there are too many, or health.
SURPLUS: Final = 32

_BACKLOG: Final = 1024
# So that open connections are served between two rounds, and few descriptors wait for their end.
_ACCEPTED_AT_ONCE: Final = 8
_RETRY_SECONDS: Final = 0.05
_NO_RESOURCES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class Listener:
    """Gives connections to `server`, and up to SURPLUS of those beyond the limits to `surplus`.

    TLS handshakes have `handshake_seconds`. `address` is a host, and a port or 0 for a free one.
    """

    address: tuple[str, int]
    server: ConnectionServer
    surplus: ConnectionServer
    slots: ConnectionSlots
    tls: ssl.SSLContext | None
    handshake_seconds: float
    _sockets: list[socket.socket] = field(default_factory=list)
    _beyond: dict[Connection, None] = field(default_factory=dict)
    _opening: dict[Connection, asyncio.Task[None]] = field(default_factory=dict)
    _exhausted: bool = False

    async def open(self, *, reuse_port: bool) -> None:
        """Listens on all addresses of the host. Raises OSError."""
        host, port = self.address
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, _, _, _, address in dict.fromkeys(found):
            listening = socket.create_server(
                address, family=family, backlog=_BACKLOG, reuse_port=reuse_port
            )
            listening.setblocking(False)
            self._sockets.append(listening)
        for listening in self._sockets:
            self._listen(listening)

    @property
    def port(self) -> int:
        return int(self._sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        scheme = "http" if self.tls is None else "https"
        return str(URL.build(scheme=scheme, host=self.address[0], port=self.port))

    def close(self) -> None:
        """Closes the address; open connections stay."""
        loop = asyncio.get_running_loop()
        while self._sockets:
            listening = self._sockets.pop()
            loop.remove_reader(listening)
            listening.close()

    def _listen(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                accepted, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_RESOURCES:
                    raise
                self._pause(listening, error)
                return
            self._exhausted = False
            accepted.setblocking(False)
            self._admit(accepted, address[0])

    def _pause(self, listening: socket.socket, error: OSError) -> None:
        """The waiting connections would wake the event loop again immediately."""
        if not self._exhausted:
            _log.error("cannot accept connections", extra={"reason": error.strerror})
        self._exhausted = True
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)
        loop.call_later(_RETRY_SECONDS, self._listen, listening)

    def _admit(self, accepted: socket.socket, peer: str) -> None:
        release = self.slots.take(peer)
        if release is not None:
            self._open(self.server(), accepted, release)
            return
        limit = "total" if self.slots.full else "per peer"
        _log.warning("too many connections", extra={"peer": peer, "limit": limit})
        if len(self._beyond) >= SURPLUS:
            # The oldest has had the longest time to send a request.
            self._end(next(iter(self._beyond)))
        connection = self.surplus()
        self._beyond[connection] = None
        self._open(connection, accepted, lambda: self._beyond.pop(connection, None))

    def _end(self, connection: Connection) -> None:
        del self._beyond[connection]
        opening = self._opening.get(connection)
        if opening is not None:
            opening.cancel()
        else:
            connection.refuse(TOO_MANY_CONNECTIONS)

    def _open(self, connection: Connection, accepted: socket.socket, release: Release) -> None:
        connection.closed = release
        opening = asyncio.create_task(self._connect(connection, accepted))
        self._opening[connection] = opening
        opening.add_done_callback(partial(self._opened, connection, accepted))

    async def _connect(self, connection: Connection, accepted: socket.socket) -> None:
        seconds = None if self.tls is None else self.handshake_seconds
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: connection,
            accepted,
            ssl=self.tls,
            ssl_handshake_timeout=seconds,
            ssl_shutdown_timeout=seconds,
        )

    def _opened(
        self, connection: Connection, accepted: socket.socket, opening: asyncio.Task[None]
    ) -> None:
        del self._opening[connection]
        error = None if opening.cancelled() else opening.exception()
        if error is None and not opening.cancelled():
            return
        connection.end()
        accepted.close()
        if error is not None and not isinstance(error, OSError):  # the client's, or a timeout
            _log.error("cannot open a connection", extra={"error": type(error).__name__})
