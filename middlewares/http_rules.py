"""Rules of HTTP that the parser does not check, so that no two servers read a request differently.

The parser itself refuses a Content-Length beside a Transfer-Encoding, repeated framing headers,
folded headers and bare line feeds.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from aiohttp import HttpVersion10, HttpVersion11, hdrs, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from middlewares.request_keys import GATEWAY
from providers.errors import invalid_argument, unimplemented

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# Headers that decide who calls, and what. Those that a provider reads are added.
_SINGLE: Final = frozenset(
    {"authorization", "content-encoding", "x-goog-api-key", "x-model-provider", "x-server-timeout"}
)
_SINGLE_PREFIXES: Final = ("x-ferry-", "x-goog-upload-")
_LISTS: Final = frozenset(
    {"accept", "accept-encoding", "accept-language", "if-match", "if-none-match"}
)

# A `Connection` header must not remove these.
_FRAMING: Final = frozenset({"connection", "content-length", "host", "transfer-encoding"})
_NAME_SHOWN: Final = 80


def check_http_rules(request: web.Request) -> None:
    """Raises INVALID_ARGUMENT, or UNIMPLEMENTED for a method."""
    if request.version not in (HttpVersion10, HttpVersion11):
        raise invalid_argument("send the request with HTTP/1.1 or HTTP/1.0")
    if request.method not in _METHODS:
        raise unimplemented(f"this method is not supported; known: {', '.join(_METHODS)}")
    _check_target(request)
    _check_framing(request)
    _check_repeats(request)


def _check_target(request: web.Request) -> None:
    """An absolute address takes precedence over Host (RFC 9112 section 3.2.2)."""
    if request.raw_path.startswith("/") or request.raw_path == "*":
        return
    host = request.headers.get(hdrs.HOST, "")
    if URL(request.raw_path, encoded=True).raw_authority.lower() != host.lower():
        raise invalid_argument("the address in the request line differs from the header Host")


def _check_framing(request: web.Request) -> None:
    coding = request.headers.get(hdrs.TRANSFER_ENCODING)
    if coding is not None:
        if request.version == HttpVersion10:
            raise invalid_argument("Transfer-Encoding needs HTTP/1.1")
        if coding.lower() != "chunked":
            raise invalid_argument("Transfer-Encoding must be chunked; send the body uncompressed")
        if hdrs.TE in request.headers:
            raise invalid_argument("send either TE or Transfer-Encoding, not both")
    for name in _FRAMING & named_in_connection(request.headers):
        raise invalid_argument(f"the header Connection must not name {name}")


def _check_repeats(request: web.Request) -> None:
    names = [name.lower() for name, _ in request.headers.items()]
    if len(set(names)) < len(names):
        single = (_SINGLE | request.app[GATEWAY].passed_headers) - _LISTS
        for name, times in Counter(names).items():
            if times > 1 and (name in single or name.startswith(_SINGLE_PREFIXES)):
                shown = name[:_NAME_SHOWN]
                raise invalid_argument(f"the header {shown} is repeated; send it once")
    if len(request.query.getall("key", [])) > 1:
        raise invalid_argument("the parameter key is repeated; send it once")


def end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDictProxy[str]:
    """The headers without those that `Connection` names, which concern only the last hop."""
    named = named_in_connection(headers) - _FRAMING
    if not any(name in headers for name in named):
        return headers
    kept = ((name, value) for name, value in headers.items() if name.lower() not in named)
    return CIMultiDictProxy(CIMultiDict(kept))


def named_in_connection(headers: Mapping[str, str]) -> set[str]:
    """In lower case."""
    if hdrs.CONNECTION not in headers:
        return set()
    values = [value for name, value in headers.items() if name.lower() == "connection"]
    return {name.strip().lower() for name in ",".join(values).split(",")}
