"""What may be between the proxy and an upstream: a TLS endpoint, and a forward proxy."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from yarl import URL

from tests.test_proxy.raw_upstream import MIB

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(MIB):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _join(one: Streams, other: Streams) -> None:
    try:
        await asyncio.gather(_copy(one[0], other[1]), _copy(other[0], one[1]))
    except (ConnectionError, asyncio.CancelledError):
        pass
    finally:
        one[1].close()
        other[1].close()


@asynccontextmanager
async def tls_endpoint(url: URL, cert: Path) -> AsyncIterator[URL]:
    """Speaks TLS with `cert`, and forwards to `url`."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join((reader, writer), await asyncio.open_connection(url.host, url.port))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert)
    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=context)
    try:
        yield URL(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()


@dataclass
class ForwardProxy:
    """`routes` says where each `host:port` really is; others are answered with `refusal`.

    `heads` has the request line and headers that each connection began with.
    """

    routes: Mapping[str, URL]
    refusal: str = "502 Bad Gateway"
    password: str | None = None
    url: URL = field(init=False)
    heads: list[str] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        """The `host:port` or address of each request, in order."""
        return [head.split()[1] for head in self.heads]

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        method, target, _ = head.split(" ", 2)
        address = target if method == "CONNECT" else URL(target).raw_authority
        if ":" not in address:
            address += ":80"
        refusal = self._refusal(head, address)
        if refusal is not None:
            writer.write(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n".encode())
            writer.close()
            return
        there = self.routes[address]
        inner = await asyncio.open_connection(there.host, there.port)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            inner[1].write(head.replace(target, URL(target).raw_path_qs, 1).encode())
        await _join((reader, writer), inner)

    def _refusal(self, head: str, address: str) -> str | None:
        if self.password is not None:
            expected = base64.b64encode(self.password.encode()).decode()
            if f"\r\nProxy-Authorization: Basic {expected}\r\n" not in head:
                return "407 Proxy Authentication Required"
        return None if address in self.routes else self.refusal


@asynccontextmanager
async def forward_proxy(proxy: ForwardProxy, cert: Path | None = None) -> AsyncIterator[URL]:
    """Runs it; with `cert` it is itself reached over TLS."""
    server = await asyncio.start_server(proxy.converse, "127.0.0.1", 0)
    proxy.url = URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        if cert is None:
            yield proxy.url
        else:
            async with tls_endpoint(proxy.url, cert) as url:
                yield url
    finally:
        server.close()
