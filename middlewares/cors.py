"""CORS (https://fetch.spec.whatwg.org): lets web pages of the configured origins call the proxy.

It wraps the chain instead of being a step of it: a preflight carries no key, and every response
below `/genai`, also an error, must say who may read it. Credentials that a browser stores, such as
cookies, are never allowed: a page sends its key itself.
"""

import re
from collections.abc import Collection
from typing import Final

from aiohttp import hdrs, web

from middlewares.origins import Origins
from middlewares.paths import is_below_prefix
from middlewares.request_keys import GATEWAY, Handler

_METHODS: Final = "GET, HEAD, POST, PUT, DELETE"
# Headers that SDKs send. `*` does not cover `authorization`, so each one is named.
# Google's web SDK sets `user-agent`, which Chromium ignores and other browsers send.
_REQUEST_HEADERS: Final = (
    "authorization",
    "content-type",
    "user-agent",
    "x-model-provider",
    "x-server-timeout",
)
_OUR_REQUEST_HEADER: Final = re.compile(r"x-(goog|ferry)-[a-z0-9-]{1,100}")
_EXPOSED_HEADER: Final = re.compile(r"x-goog-upload-.+|x-ferry-.+|retry-after")
_PREFLIGHT_SECONDS: Final = "600"


class Cors:
    """`passed_headers` are the request headers that the providers read."""

    def __init__(self, origins: Origins, passed_headers: Collection[str]) -> None:
        self._origins = origins
        self._request_headers = frozenset(_REQUEST_HEADERS) | {h.lower() for h in passed_headers}

    def install(self, app: web.Application) -> None:
        app.middlewares.insert(0, self.answer_preflight)
        app.on_response_prepare.append(self.mark)

    @web.middleware
    async def answer_preflight(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Treats a preflight from an origin that is not allowed like any other request."""
        asked = hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        if not (asked and request.method == hdrs.METH_OPTIONS and self._allowed(request)):
            return await handler(request)
        headers = {
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: _METHODS,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: ", ".join(sorted(self._headers_for(request))),
            hdrs.ACCESS_CONTROL_MAX_AGE: _PREFLIGHT_SECONDS,
            hdrs.VARY: hdrs.ACCESS_CONTROL_REQUEST_HEADERS,
        }
        return web.Response(status=204, headers=headers)

    async def mark(self, request: web.Request, response: web.StreamResponse) -> None:
        """Adds to a response which origin may read it, and which of its headers."""
        if not _is_ours(request):
            return
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        allowed = self._allowed(request)
        if allowed is None:
            return
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = allowed
        exposed = sorted(set(filter(_EXPOSED_HEADER.fullmatch, map(str.lower, response.headers))))
        if exposed:
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = ", ".join(exposed)

    def _allowed(self, request: web.Request) -> str | None:
        """The allowed origin to name in the response."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or not _is_ours(request):
            return None
        return self._origins.allowed(origin)

    def _headers_for(self, request: web.Request) -> set[str]:
        """The fixed headers, and the proxy's own headers that the browser asks for."""
        asked = ",".join(request.headers.getall(hdrs.ACCESS_CONTROL_REQUEST_HEADERS, []))
        names = (name.strip().lower() for name in asked.split(","))
        return {*self._request_headers, *filter(_OUR_REQUEST_HEADER.fullmatch, names)}


def _is_ours(request: web.Request) -> bool:
    """False for health endpoints, which web pages do not need."""
    return is_below_prefix(request.app[GATEWAY].public_address.local_path(request))
