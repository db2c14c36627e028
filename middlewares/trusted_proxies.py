"""What trusted proxies in front say about a request: who sent it, and to which address.

A client can send `X-Forwarded-*` headers too, and each proxy adds to their right. So they are read
from the right, and only as far as the proxies are trusted.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import takewhile
from typing import Final

from aiohttp import hdrs, web

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

# One customer usually has a whole /64 (RFC 6177 section 2).
_IPV6_PREFIX: Final = 64


class TrustedProxies:
    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks

    def trusts(self, address: str | None) -> bool:
        """Whether it is the address of a proxy whose headers are believed."""
        parsed = parse_address(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def client(self, request: web.Request) -> str | None:
        """The address that the trusted proxies name; None if they name none, or are not there."""
        if hdrs.X_FORWARDED_FOR not in request.headers:
            return None
        hops = self._hops(request)
        named = hops[self._trusted_hops(hops) :]
        return named[0] if named and len(named) < len(hops) else None

    def said(self, request: web.Request, header: str) -> str:
        """The value that the outermost trusted proxy gave `header`; empty without one.

        A proxy may set a header without the values that it received, so there may be fewer values
        than proxies.
        """
        values = _values(request, header)
        trusted = self._trusted_hops(self._hops(request)) if values else 0
        return values[-trusted:][0] if trusted else ""

    def _hops(self, request: web.Request) -> list[str]:
        """The peer, what it received the request from, and so on."""
        return [request.remote or "", *reversed(_values(request, "X-Forwarded-For"))]

    def _trusted_hops(self, hops: Sequence[str]) -> int:
        return sum(1 for _ in takewhile(self.trusts, hops))


@lru_cache(256)
def parse_address(text: str | None) -> Address | None:
    """An address as peers or proxies give it: some add a port.

    A dual-stack socket shows IPv4 peers as `::ffff:127.0.0.1`.
    """
    host = text or ""
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def peer_network(text: str) -> str:
    """What counts as one peer: an IPv4 address, or the network of an IPv6 address."""
    address = parse_address(text)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), _IPV6_PREFIX), strict=False))
    return text if address is None else str(address)


def _values(request: web.Request, header: str) -> list[str]:
    given = request.headers.getall(header, None)
    if given is None:
        return []
    parts = ",".join(given).split(",")
    return [part.strip() for part in parts if part.strip()]
