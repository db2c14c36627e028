"""The forward proxies that the environment names: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.

aiohttp's `trust_env` is not used: it also sends passwords from ~/.netrc to upstreams, and its
NO_PROXY takes no networks.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from yarl import URL

from proxy.setting_values import Network, is_loopback

_SCHEMES: Final = ("http", "https")
_NAME_AND_PORT: Final = re.compile(r"(.*):([0-9]{1,5})")


class UnusableForwardProxy(Exception):
    """Says in one sentence, without a full stop, which variable is wrong."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """An entry of NO_PROXY: a network, or a name with the names below it; `*` is every name."""

    name: str
    port: int | None = None
    network: Network | None = None

    def covers(self, url: URL) -> bool:
        host = (url.host or "").lower()
        if self.network is not None:
            address = _address_of(host)
            return address is not None and address in self.network
        if self.port not in (None, url.port):
            return False
        return self.name in ("*", host) or host.endswith(f".{self.name}")


@dataclass(frozen=True, slots=True)
class ForwardProxies:
    """`by_scheme` has the proxy for upstreams of each scheme; its URL may contain a password."""

    by_scheme: Mapping[str, URL] = field(default_factory=dict, repr=False)
    exemptions: tuple[Exemption, ...] = ()

    def of(self, url: URL) -> URL | None:
        """The proxy for a request to `url`; never one for an address of this machine."""
        proxy = self.by_scheme.get(url.scheme)
        if proxy is None or is_loopback(url.host or ""):
            return None
        return None if any(each.covers(url) for each in self.exemptions) else proxy


NO_FORWARD_PROXIES: Final = ForwardProxies()


def forward_proxies() -> ForwardProxies:
    """Those of the environment, in small letters or in capitals. Raises UnusableForwardProxy."""
    given = {scheme: _variable(f"{scheme}_proxy") for scheme in _SCHEMES}
    by_scheme = {scheme: _proxy(scheme, value) for scheme, value in given.items() if value}
    entries = map(str.strip, _variable("no_proxy").lower().split(","))
    return ForwardProxies(by_scheme, tuple(_exemption(entry) for entry in entries if entry))


def _variable(name: str) -> str:
    """Small letters win, as in most programs."""
    return os.environ.get(name) or os.environ.get(name.upper()) or ""


def _proxy(scheme: str, value: str) -> URL:
    """The message does not quote the value, which may contain a password."""
    try:
        url = URL(value if "://" in value else f"http://{value}")
    except ValueError:
        url = URL()
    if url.scheme not in _SCHEMES or not url.host:
        raise UnusableForwardProxy(
            f"{scheme.upper()}_PROXY: must be the address of an HTTP proxy, such as "
            "http://proxy.example:3128"
        )
    return url.with_path("")


def _exemption(entry: str) -> Exemption:
    try:
        return Exemption(entry, network=ipaddress.ip_network(entry.strip("[]"), strict=False))
    except ValueError:
        found = _NAME_AND_PORT.fullmatch(entry)
        name, port = found.groups() if found else (entry, None)
        return Exemption(
            name.removeprefix("*.").lstrip(".").strip("[]"), int(port) if port else None
        )


def _address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
