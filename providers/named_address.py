"""Addresses that an upstream's answer names: none may lead a request, or a key, to another server.

This is the only place that decides it. What else upstreams name is a native id, a page token or a
bucket: those become part of a path or a query below a configured address, and never a host.
"""

import re
from collections.abc import Mapping
from typing import Final

from yarl import URL

from providers.upstream import invalid_answer

# Browsers and Node find a host in these, RFC 3986 a path (https://url.spec.whatwg.org/#url-parsing).
_READ_IN_TWO_WAYS: Final = re.compile(r".*[\\\x00-\x20]|https?:(?!//[^/])|///", re.IGNORECASE)
_NO_HOST: Final = re.compile(r"(?!)")
_SCHEMES: Final = ("http", "https")
# Clients send further requests, with their key, to the addresses in these.
_ADDRESS_HEADERS: Final = ("location", "x-goog-upload-url", "x-goog-upload-control-url")


def named_address(configured: URL, text: str, hosts: re.Pattern[str] = _NO_HOST) -> URL:
    """The URL `text` in an answer from `configured`; it may be relative.

    Raises UpstreamError unless it has the origin of `configured`, or is at one of `hosts` by https,
    which are further hosts of the same upstream, in lower case.
    """
    try:
        url = configured.join(URL(text, encoded=True))
        origin = _origin(url)
    except ValueError:
        raise invalid_answer("the upstream named an invalid address") from None
    known = origin == _origin(configured) or (
        url.scheme == "https" and hosts.fullmatch(origin[1]) is not None and url.port == 443
    )
    if not known or url.user is not None or _READ_IN_TWO_WAYS.match(text):
        raise invalid_answer("the upstream named an address on another host, which is not used")
    return url


def check_named_addresses(configured: URL, headers: Mapping[str, str]) -> None:
    """Raises UpstreamError if an answer's headers would lead the client to another server."""
    for name, value in headers.items():
        if name.lower() in _ADDRESS_HEADERS:
            named_address(configured, value)


def _origin(url: URL) -> tuple[str, str, int | None]:
    """With the default port filled in. Raises ValueError for an address that is not of the web."""
    if url.scheme not in _SCHEMES or not url.host:
        raise ValueError("not an address of the web")
    return url.scheme, url.host.lower(), url.port
