"""The address at which clients reach us; Python uses an upload URL exactly as it is given."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from aiohttp import web

from middlewares.routes import PREFIX
from providers.errors import invalid_argument

_HOST: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")

Network = IPv4Network | IPv6Network


class PublicAddress:
    """The configured address, else what a trusted proxy says, else the request's own Host."""

    def __init__(self, configured: str | None, trusted_proxies: Sequence[Network]) -> None:
        self._configured = configured.rstrip("/").removesuffix(PREFIX) if configured else None
        self._trusted = trusted_proxies

    def of(self, request: web.Request) -> str:
        """Scheme, host and `/genai`, as in `https://ferry.example/genai`."""
        return f"{self._configured or self._told(request)}{PREFIX}"

    def is_private(self, request: web.Request) -> bool:
        """Whether what the client sent crossed no network in the clear, as far as can be told.

        A peer on this machine is believed without a word: what a proxy there lets in is for its
        own operator to say, and many say nothing.
        """
        address = _address(request.remote)
        on_this_machine = address is not None and address.is_loopback
        return on_this_machine or self._all_in_private(request)

    def _all_in_private(self, request: web.Request) -> bool:
        """A chain of proxies says a scheme for each leg, of which none may be in the clear."""
        if not self._is_trusted(request.remote):
            return request.scheme == "https"
        told = ",".join(request.headers.getall("X-Forwarded-Proto", [request.scheme]))
        return all(leg.strip().lower() == "https" for leg in told.split(","))

    def _scheme(self, request: web.Request) -> str:
        """How the client reached whoever is nearest to it that we may believe."""
        told = _first(request, "X-Forwarded-Proto") if self._is_trusted(request.remote) else ""
        return (told or request.scheme).lower()

    def _told(self, request: web.Request) -> str:
        scheme, host = self._scheme(request), request.headers.get("Host", "")
        if self._is_trusted(request.remote):
            host = _first(request, "X-Forwarded-Host") or host
        if scheme not in ("http", "https") or not _HOST.fullmatch(host):
            raise invalid_argument("the Host (or X-Forwarded-Host, -Proto) is not a host name")
        return f"{scheme}://{host}"

    def _is_trusted(self, remote: str | None) -> bool:
        address = _address(remote)
        return address is not None and any(address in network for network in self._trusted)


def _address(remote: str | None) -> IPv4Address | IPv6Address | None:
    """A peer's address. A socket for both versions shows IPv4 peers as `::ffff:127.0.0.1`."""
    try:
        address = ip_address(remote or "")
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _first(request: web.Request, header: str) -> str:
    return request.headers.get(header, "").partition(",")[0].strip()
