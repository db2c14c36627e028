"""Which web pages may call: those of the proxy's own origin, and of the configured origins.

A browser sends `Origin` with every request that a page of another origin can make to spend a
credential, also with a form or with `text/plain`, for which it asks no permission first. Programs
other than browsers send none.
"""

from collections.abc import Collection
from typing import Final

from aiohttp import hdrs, web
from yarl import URL

from middlewares.public_address import PublicAddress
from providers.errors import FerryError
from providers.status import Status

ANY_ORIGIN: Final = "*"


class Origins:
    """`configured` are spelled as browsers send them, or `*` alone."""

    def __init__(self, configured: Collection[str], public_address: PublicAddress) -> None:
        self._configured = frozenset(configured)
        self._public_address = public_address

    def check(self, request: web.Request) -> None:
        """Raises PERMISSION_DENIED for a request of a web page that may not call."""
        for origin in request.headers.getall(hdrs.ORIGIN, []):
            if not (self.allowed(origin) or origin == self._own(request)):
                raise FerryError(
                    Status.PERMISSION_DENIED,
                    "web pages of this origin may not call the proxy: its operator can allow it "
                    "with FERRY_CORS_ORIGINS",
                )

    def allowed(self, origin: str) -> str | None:
        """How a response names the pages of a configured origin that may read it."""
        if ANY_ORIGIN in self._configured:
            return ANY_ORIGIN
        return origin if origin in self._configured else None

    def _own(self, request: web.Request) -> str:
        return str(URL(self._public_address.of(request)).origin())
