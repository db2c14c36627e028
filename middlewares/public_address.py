"""The address at which clients reach us; Python uses an upload URL exactly as it is given."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
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

    def _told(self, request: web.Request) -> str:
        scheme, host = request.scheme, request.headers.get("Host", "")
        if self._is_trusted(request.remote):
            scheme = _first(request, "X-Forwarded-Proto") or scheme
            host = _first(request, "X-Forwarded-Host") or host
        scheme = scheme.lower()
        if scheme not in ("http", "https") or not _HOST.fullmatch(host):
            raise invalid_argument("the Host (or X-Forwarded-Host, -Proto) is not a host name")
        return f"{scheme}://{host}"

    def _is_trusted(self, remote: str | None) -> bool:
        try:
            address = ip_address(remote or "")
        except ValueError:
            return False
        return any(address in network for network in self._trusted)


def _first(request: web.Request, header: str) -> str:
    return request.headers.get(header, "").partition(",")[0].strip()
