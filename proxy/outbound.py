"""The HTTP client that sends all requests of providers to their upstreams."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

import aiohttp
from aiohttp import hdrs

from providers.body import read_up_to
from providers.deadlines import CALL_LIMITS, DEFAULT_LIMITS, TimeLimits
from providers.errors import invalid_argument
from providers.limits import HTTP_FIELD
from providers.status import Status
from providers.upstream import OutboundRequest, UpstreamError
from proxy.forward_proxies import NO_FORWARD_PROXIES, ForwardProxies
from proxy.name_resolver import NameResolver
from proxy.outbound_body import OutboundBody
from proxy.outbound_faults import UPSTREAM_FAULTS, Exchange, refused_by_proxy
from proxy.read_buffers import LARGE_BUFFERS, LARGE_STREAM, READ_BUFFER_BYTES, Release
from proxy.system_trust import system_trust
from proxy.threads import in_thread

# Headers that aiohttp would add by itself: only the provider's headers are sent.
_AUTOMATIC_HEADERS: Final = (hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.USER_AGENT, hdrs.CONTENT_TYPE)

# Only the body decides how it is framed.
_FRAMING_HEADERS: Final = frozenset({"content-length", "transfer-encoding"})

# aiohttp waits for an upstream that does not read only if more than 64 KiB are written.
_SHORT_BYTES: Final = 32 << 10

# Of a final answer: one of 1xx never arrives here, except for a change of the protocol.
_STATUSES: Final = range(200, 600)

_CONTROL_CHARACTERS: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """`connect` in seconds. `limits` are for calls for which no request sets other ones."""

    connect: float = 30
    limits: TimeLimits = DEFAULT_LIMITS


class OutboundReply:
    """An upstream's response.

    Reading it to its end, or closing it, stops a request body that is still being sent.
    """

    def __init__(self, response: aiohttp.ClientResponse, exchange: Exchange) -> None:
        self._response = response
        self._exchange = exchange
        self._sent = exchange.sent
        self._release_buffers: Release | None = None
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        content = self._response.content
        if (self._response.content_length or 0) >= LARGE_STREAM:
            self._enlarge_buffers()
        try:
            while chunk := await content.readany():
                yield chunk
                del chunk  # as in providers/body.py
                if content.total_bytes >= LARGE_STREAM:
                    self._enlarge_buffers()
        except UPSTREAM_FAULTS as error:
            raise self._exchange.blame(error) from None
        if self._sent is not None and self._sent.failure is not None:
            raise self._sent.failure

    async def read(self, limit: int) -> bytes:
        data: bytes | None
        if self._has_arrived:
            data = self._response.content.read_nowait()
        else:
            data = await self._read_in_time(limit)
        if data is None or len(data) > limit:
            message = f"{self._exchange.host} sent a response of more than {limit} bytes"
            raise UpstreamError(Status.UNAVAILABLE, message)
        return data

    @property
    def _has_arrived(self) -> bool:
        """Whether the whole body is here, as a small one is with its headers."""
        content = self._response.content
        return self._sent is None and content.is_eof() and content.exception() is None

    async def _read_in_time(self, limit: int) -> bytes | None:
        host, wait = self._exchange.host, self._exchange.wait
        try:
            async with asyncio.timeout(wait.seconds):
                return await read_up_to(self.chunks(), limit)
        except TimeoutError:
            message = f"{host} did not finish its answer within {wait}"
            raise UpstreamError(Status.DEADLINE_EXCEEDED, message) from None

    def _enlarge_buffers(self) -> None:
        connection = self._response.connection
        if self._release_buffers is None and connection is not None:
            self._release_buffers = LARGE_BUFFERS.give(self._response.content, connection.transport)

    async def aclose(self) -> None:
        if self._release_buffers is not None:
            self._release_buffers()
            self._release_buffers = None
        # After a reply was read to its end, its connection is already back in the pool.
        self._response.close()
        if self._sent is not None:
            await self._sent.wait_released()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


class OutboundClient:
    """Implements `providers.upstream.Upstream`; usable only in the event loop that created it.

    `trust` None trusts the system's certificates.
    """

    def __init__(
        self,
        timeouts: Timeouts = Timeouts(),
        trust: ssl.SSLContext | None = None,
        forward_proxies: ForwardProxies = NO_FORWARD_PROXIES,
    ) -> None:
        self._timeouts = timeouts
        self._trust = trust
        self._forward_proxies = forward_proxies
        self._session: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()

    async def send(self, request: OutboundRequest) -> OutboundReply:
        headers = _outgoing(request.headers)
        exchange = self._exchange(request)
        try:
            response = await self._request(request, headers, exchange)
        except UPSTREAM_FAULTS as error:
            raise exchange.blame(error) from None
        if response.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED and self._is_relayed(
            request
        ):
            response.close()
            raise refused_by_proxy(response.status, exchange.host)
        if response.status not in _STATUSES:
            response.close()
            what = f"answered with the status {response.status}, which is no final status"
            raise UpstreamError(Status.UNAVAILABLE, f"{exchange.host} {what}")
        return OutboundReply(response, exchange)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _opened(self) -> aiohttp.ClientSession:
        """From the first call on, so that there is nothing to close if the start fails before."""
        if self._session is None:
            async with self._opening:
                # Others may have waited here: each set of certificates takes 1 MiB.
                if self._session is None:
                    trust = self._trust
                    if trust is None:
                        trust = await in_thread(system_trust)
                    self._session = _session(trust)
        return self._session

    def _is_relayed(self, request: OutboundRequest) -> bool:
        """Whether a forward proxy can answer in the upstream's place, as in a tunnel it cannot."""
        return request.url.scheme == "http" and self._forward_proxies.of(request.url) is not None

    def _exchange(self, request: OutboundRequest) -> Exchange:
        """Raises UpstreamError if the call that this is for has no time left."""
        own = self._timeouts.limits
        limits = CALL_LIMITS.get() or own.answered_call()
        wait = limits.wait_for(request.method, request.silence)
        host = request.url.host or "the upstream"
        if wait.seconds <= 0:
            message = f"no time was left to call {host}: the call takes at most {limits.whole}"
            raise UpstreamError(Status.DEADLINE_EXCEEDED, message, unsent=True)
        body = None if _is_one_write(request) else request.body
        return Exchange(host, wait, None if body is None else OutboundBody(body, own.stalled))

    async def _request(
        self, request: OutboundRequest, headers: Mapping[str, str], exchange: Exchange
    ) -> aiohttp.ClientResponse:
        wait, sent = exchange.wait.seconds, exchange.sent
        try:
            session = await self._opened()
            return await session.request(
                request.method,
                request.url,
                headers=headers,
                data=request.body if sent is None else sent,
                allow_redirects=False,
                proxy=self._forward_proxies.of(request.url),
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=min(self._timeouts.connect, wait), sock_read=wait
                ),
            )
        except BaseException:
            if sent is not None:
                await sent.wait_released()
            raise


def _session(trust: ssl.SSLContext) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, resolver=NameResolver(), ssl=trust),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_AUTOMATIC_HEADERS,
        auto_decompress=False,
        read_bufsize=READ_BUFFER_BYTES,
        max_line_size=HTTP_FIELD,
        max_field_size=HTTP_FIELD,
    )


def _is_one_write(request: OutboundRequest) -> bool:
    """Whether aiohttp itself can send the body: with the headers, without a wait, and only once.

    It would send that of a PUT again if the connection breaks.
    """
    body = request.body
    return request.method == "POST" and isinstance(body, bytes) and 0 < len(body) <= _SHORT_BYTES


def _outgoing(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers to send. Raises INVALID_ARGUMENT, since clients can set some of the values."""
    for name, value in headers.items():
        if _CONTROL_CHARACTERS.search(value):
            raise invalid_argument(f"the value for the header {name} contains a control character")
    return {n: v for n, v in headers.items() if n.lower() not in _FRAMING_HEADERS}
