"""The address at which clients reach the proxy: Python uses upload URLs exactly as given."""

import re
from collections.abc import Sequence
from typing import Final

from aiohttp import web
from yarl import URL

from middlewares.paths import PREFIX
from middlewares.trusted_proxies import Network, TrustedProxies, parse_address
from providers.errors import invalid_argument
from providers.limits import FORWARDED_PREFIX

_ADDRESS: Final = web.RequestKey("address", str)

_HOST: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
# Segments of unreserved characters (RFC 3986 section 2.3), except `.` and `..`.
_PATH_PREFIX: Final = re.compile(r"(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~-]+)*/?")


class PublicAddress:
    """The configured address, otherwise what a trusted proxy says, otherwise the Host header."""

    def __init__(self, configured: str | None, trusted_proxies: Sequence[Network]) -> None:
        self._configured = configured.rstrip("/").removesuffix(PREFIX) if configured else None
        url = URL(self._configured or "")
        self._path = url.raw_path.rstrip("/")
        self._host = url.host
        self._proxies = TrustedProxies(trusted_proxies)

    def of(self, request: web.Request) -> str:
        """Scheme, host, path and `/genai`, as in `https://ferry.example/team/genai`."""
        if _ADDRESS not in request:  # a list asks for each of its files
            request[_ADDRESS] = f"{self._configured or self._forwarded(request)}{PREFIX}"
        return request[_ADDRESS]

    @property
    def is_configured(self) -> bool:
        """Whether clients have no other address than the configured one."""
        return self._configured is not None

    def local_path(self, request: web.Request) -> str:
        """The request's raw path without the configured public path.

        An ingress may forward requests with that path or without it.
        """
        path = request.rel_url.raw_path
        public = f"{self._path}{PREFIX}"
        if path == public or path.startswith(f"{public}/"):
            return path.removeprefix(self._path)
        return path

    def has_own_host(self, request: web.Request) -> bool:
        """Whether `Host` is a loopback name, or the host of the configured address."""
        hosts = [_host_name(host) for host in request.headers.getall("Host", [""])]
        return all(_is_loopback(host) or host == self._host for host in hosts)

    def is_protected(self, request: web.Request) -> bool:
        """Whether the request crossed no network without encryption, as far as the proxy can tell.

        True for every peer on this machine: a proxy there is its operator's responsibility, and
        many set no X-Forwarded-Proto.
        """
        address = parse_address(request.remote)
        on_this_machine = address is not None and address.is_loopback
        return on_this_machine or self._every_hop_encrypted(request)

    def _every_hop_encrypted(self, request: web.Request) -> bool:
        """A chain of proxies gives a scheme for each hop; each must be https."""
        if not self.is_trusted(request.remote):
            return request.scheme == "https"
        schemes = ",".join(request.headers.getall("X-Forwarded-Proto", [request.scheme]))
        return all(scheme.strip().lower() == "https" for scheme in schemes.split(","))

    def _forwarded(self, request: web.Request) -> str:
        """What a trusted proxy says that the client used, else the request's own."""
        scheme, prefix = request.scheme, ""
        named, host = "Host", request.headers.get("Host", "")
        if self.is_trusted(request.remote):
            scheme = (self._proxies.said(request, "X-Forwarded-Proto") or scheme).lower()
            prefix = _path_prefix(self._proxies.said(request, "X-Forwarded-Prefix"))
            if forwarded := self._proxies.said(request, "X-Forwarded-Host"):
                named, host = "X-Forwarded-Host", forwarded
        if scheme not in ("http", "https"):
            raise invalid_argument("X-Forwarded-Proto must be http or https")
        if not _is_host(host):
            raise invalid_argument(f"{named} must be a host name, with or without a port")
        return f"{scheme}://{host}{prefix}"

    def is_trusted(self, remote: str | None) -> bool:
        """Whether the peer is a proxy whose headers are believed."""
        return self._proxies.trusts(remote)


def _is_host(text: str) -> bool:
    """Whether an address can be made of it: there are ports of five digits that do not exist."""
    try:
        return bool(_HOST.fullmatch(text) and URL(f"http://{text}"))
    except ValueError:
        return False


def _host_name(host: str) -> str:
    """A Host header without its port, in lower case; empty for an invalid one."""
    if not _HOST.fullmatch(host):
        return ""
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name.lower().strip("[]").removesuffix(".")


def _is_loopback(host: str) -> bool:
    """Browsers resolve no name below `localhost` by DNS."""
    address = parse_address(host)
    if address is not None:
        return address.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _path_prefix(prefix: str) -> str:
    """The path that a proxy in front removed from the request, without a trailing slash."""
    if len(prefix) > FORWARDED_PREFIX or not _PATH_PREFIX.fullmatch(prefix):
        raise invalid_argument(
            "X-Forwarded-Prefix must be a path such as /team: segments of letters, digits and "
            f"-._~, without `//`, `.` or `..`, at most {FORWARDED_PREFIX} characters"
        )
    return prefix.rstrip("/")
