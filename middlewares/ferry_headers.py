"""Request headers of our own: one that is misspelt would change nothing, and nobody would know."""

from difflib import get_close_matches
from typing import Final

from aiohttp import web

from middlewares.journey import EDGE
from providers.errors import invalid_argument

IDEMPOTENCY_KEY: Final = "x-ferry-idempotency-key"

_PREFIX: Final = "x-ferry-"
# Those that the chain reads itself; the others are in the `passed_headers` of a provider.
_OF_THE_CHAIN: Final = frozenset({IDEMPOTENCY_KEY})
_NAME_LIMIT: Final = 80


def check_ferry_headers(request: web.Request) -> None:
    """Raises INVALID_ARGUMENT for an unknown `x-ferry-` header.

    One that another call or another provider reads is taken: an SDK sends the headers of its
    client with every call, and a program may have one client for several providers.
    """
    passed = (provider.passed_headers for provider in request.app[EDGE].providers.values())
    known = _OF_THE_CHAIN.union(*passed)
    for header in request.headers:
        name = header.lower()
        if name.startswith(_PREFIX) and name not in known:
            ours = sorted(header for header in known if header.startswith(_PREFIX))
            endings = [header.removeprefix(_PREFIX) for header in ours]
            close = get_close_matches(name[:_NAME_LIMIT].removeprefix(_PREFIX), endings, n=1)
            hint = f"did you mean {_PREFIX}{close[0]}?" if close else f"known: {', '.join(ours)}"
            raise invalid_argument(f"unknown request header {name[:_NAME_LIMIT]}; {hint}")
