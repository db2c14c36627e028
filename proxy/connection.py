"""One connection of a client: aiohttp's handler, with deadlines and with errors of our own.

aiohttp limits neither the time in which a client sends a request's headers, nor blank lines, nor
the extensions of chunks, nor how long a client may leave its response unread.

Beyond its public interface this file uses of aiohttp: `RequestHandler._request_count`,
`AppRunner._make_server`, `Server._loop` and `Server._kwargs`. test_connection.py shows when they
change.
"""

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fcntl import ioctl
from math import inf
from termios import TIOCOUTQ
from typing import Any, Final, cast

from aiohttp import HttpVersion10, HttpVersion11, StreamReader, hdrs, web
from aiohttp.abc import AbstractStreamWriter

from middlewares.http_rules import end_to_end
from providers.errors import FerryError
from providers.limits import SIZE_DIGITS
from providers.status import Status
from proxy.http_errors import HEAD_BYTES, MALFORMED, TOO_LONG, closing_response, raw_response
from proxy.read_buffers import (
    LARGE_BUFFERS,
    LARGE_STREAM,
    MEDIUM_BUFFERS,
    READ_BYTES,
    Release,
    read_little,
)

# What a client may send in a row while its request is answered, other than bytes of a body. More
# than one read of a socket (512 KiB) and the buffer of a body, which wait while a handler is busy.
_OVERHEAD_BYTES: Final = 1 << 20

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """In seconds: to send a request's headers, from the opening of the connection on; between
    requests; for a client that reads nothing of its response."""

    header: float = inf
    idle: float = inf
    stall: float = inf

    @property
    def check_seconds(self) -> float:
        """How often connections must be checked."""
        return min(1.0, min(self.header, self.idle, self.stall) / 4)


NO_DEADLINES: Final = Deadlines()


class Connection(web.RequestHandler):
    """`closed` is called once, when the connection has ended."""

    def __init__(self, server: web.Server, deadlines: Deadlines, **options: Any) -> None:
        super().__init__(server, **options)
        self.closed: Callable[[], object] = _nothing
        self._deadlines = deadlines
        self._client: asyncio.Transport | None = None
        self._body: StreamReader | None = None
        self._release_buffers: Release | None = None
        self._answered = 0
        # The opening counts as the beginning of the first headers.
        self._head_begun = True
        self._since = _now()
        self._unused = 0
        self._unread = 0
        self._read_at = self._since

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._client = cast("asyncio.Transport", transport)
        read_little(self._client)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._client = None
        super().connection_lost(exc)
        self._use_usual_buffers()
        self.end()

    def end(self) -> None:
        """The connection has ended, or its TLS handshake has failed."""
        closed, self.closed = self.closed, _nothing
        closed()

    def data_received(self, data: bytes) -> None:
        waiting = self._is_waiting
        if data and waiting and not self._head_begun:
            self._head_begun, self._since = True, _now()
        requests, received = self._request_count, self._received
        super().data_received(data)
        new_request = self._request_count != requests
        if new_request and self._body is not None and not self._body.is_eof():
            # aiohttp queues the error as a request after this one, which would wait for its body.
            self._body.set_exception(web.RequestPayloadError("the framing of the body is broken"))
            self._body.feed_eof()  # otherwise aiohttp would wait for the rest
        progress = new_request or self._received != received
        self._unused = 0 if progress else self._unused + len(data)
        if self._unused > (HEAD_BYTES if waiting else _OVERHEAD_BYTES):
            self.refuse(TOO_LONG)

    def begins(self, body: StreamReader, length: int) -> None:
        """A request with this body is now answered; `length` is 0 if it is not known."""
        self._body = body
        if length > READ_BYTES:
            buffers = LARGE_BUFFERS if length >= LARGE_STREAM else MEDIUM_BUFFERS
            self._release_buffers = buffers.give(body, self._client)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if request.version not in (HttpVersion10, HttpVersion11):
            # A response has its request's version, and this one was refused.
            request._cache["version"] = HttpVersion11
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._answered += 1
            self._head_begun, self._since = False, _now()
            self._use_usual_buffers()

    def _use_usual_buffers(self) -> None:
        if self._release_buffers is not None:
            self._release_buffers()
            self._release_buffers = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status < 500:  # aiohttp would log an error with a traceback
            _log.info("malformed request", extra={"error": type(exc).__name__})
            return closing_response(MALFORMED)
        # Called to log, and to raise if a response has begun; its own response is dropped.
        super().handle_error(request, status, exc, message)
        return closing_response(FerryError(Status.INTERNAL, "internal error"))

    def check(self, now: float) -> None:
        """Ends the connection if its client has used up one of its deadlines."""
        client = self._client
        if client is None:
            return
        try:
            late = self._is_late(client, now)
        except Exception as error:  # other connections must be checked too
            _log.error("a bug of ours: %s", type(error).__name__)
            late = True
        if late:
            client.abort()

    def _is_late(self, client: asyncio.Transport, now: float) -> bool:
        unread = _unread_bytes(client)
        if not unread or unread != self._unread:
            self._unread, self._read_at = unread, now
        if unread and not self._head_begun:
            self._since = now  # it still reads the last response
        limit = self._deadlines.header if self._head_begun else self._deadlines.idle
        unused = self._is_waiting and now - self._since > limit
        return unused or now - self._read_at > self._deadlines.stall

    def refuse(self, error: FerryError) -> None:
        """Ends the connection, with this error if no request is being answered."""
        client = self._client
        if client is None or client.is_closing():
            return
        if not self._is_waiting:
            client.abort()
            return
        client.write(raw_response(error))
        client.close()

    @property
    def _is_waiting(self) -> bool:
        """Whether all requests are answered, and read to their end."""
        all_answered = self._request_count == self._answered
        return all_answered and (self._body is None or self._body.is_eof())

    @property
    def _received(self) -> int:
        """How much of the body has arrived."""
        return 0 if self._body is None else self._body.total_bytes


def _nothing() -> None:
    pass


def _now() -> float:
    return asyncio.get_running_loop().time()


def _unread_bytes(client: asyncio.Transport) -> int:
    """What was written and what the client's machine has not confirmed; 0 if nothing waits here."""
    waiting = client.get_write_buffer_size()
    socket = client.get_extra_info("socket")
    if not waiting or socket is None or socket.fileno() < 0:
        return waiting
    # A kernel takes new bytes only in large steps, so its own buffer shows that a client reads.
    with suppress(OSError):
        waiting += struct.unpack("i", ioctl(socket.fileno(), TIOCOUTQ, bytes(4)))[0]
    return waiting


# --- servers -------------------------------------------------------------------------------------


class ConnectionServer(web.Server):
    """Makes the handler of each connection."""

    def __init__(
        self,
        answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        deadlines: Deadlines,
        **options: Any,
    ) -> None:
        super().__init__(answer, **options)
        self._deadlines = deadlines
        made = self.request_factory

        def request_factory(
            message: Any,
            body: StreamReader,
            connection: web.RequestHandler,
            writer: AbstractStreamWriter,
            task: "asyncio.Task[None]",
        ) -> web.BaseRequest:
            cast(Connection, connection).begins(body, _length(message.headers))
            if message.headers:  # a request that cannot be read has none
                message = message._replace(headers=end_to_end(message.headers))
            if message.url.absolute:
                # Its host must be equal to the header Host (http_rules.py). aiohttp would decode
                # it here, where an error leaves the connection open without an answer.
                message = message._replace(url=message.url.relative())
            return made(message, body, connection, writer, task)

        self.request_factory = request_factory

    def __call__(self) -> Connection:
        return Connection(self, self._deadlines, loop=self._loop, **self._kwargs)

    async def watch(self) -> None:
        """Connections have their deadlines while this runs."""
        while True:
            await asyncio.sleep(self._deadlines.check_seconds)
            now = _now()
            for connection in self.connections:
                cast(Connection, connection).check(now)


def _length(headers: Mapping[str, str]) -> int:
    text = headers.get(hdrs.CONTENT_LENGTH, "")
    return int(text) if text.isdecimal() and len(text) <= SIZE_DIGITS else 0


class EnvelopeRunner(web.AppRunner):
    """Runs an application. aiohttp has no public way to set another handler of connections."""

    def __init__(
        self, app: web.Application, deadlines: Deadlines = NO_DEADLINES, **options: Any
    ) -> None:
        super().__init__(app, **options)
        self.deadlines = deadlines

    @property
    def connections(self) -> ConnectionServer:
        """The server, after `setup`."""
        return cast(ConnectionServer, self.server)

    async def _make_server(self) -> ConnectionServer:
        made = await super()._make_server()
        return ConnectionServer(
            made.request_handler,
            self.deadlines,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,
            **made._kwargs,
        )
