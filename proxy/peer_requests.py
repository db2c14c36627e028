"""The limit of requests in flight of one client behind a trusted proxy.

The proxy's own connections have no limit for each peer, so the client that it names has one.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from middlewares.error_envelope import render_error
from middlewares.trusted_proxies import TrustedProxies
from providers.errors import resource_exhausted
from proxy.connection_slots import ConnectionSlots, Limit


def limit_peer_requests(
    per_peer: int, proxies: TrustedProxies, refused: Callable[[Limit], object]
) -> Middleware:
    """`refused` is called for each request beyond the limit."""
    slots = ConnectionSlots(None, per_peer, proxies, refused=refused)

    @web.middleware
    async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
        client, task = proxies.client(request), asyncio.current_task()
        if client is None or task is None:
            return await handler(request)
        release = slots.take(client)
        if release is None:
            return render_error(_TOO_MANY)
        # The task also sends the response, after this call.
        task.add_done_callback(lambda _: release())
        return await handler(request)

    return limited


_TOO_MANY = resource_exhausted(
    "too many requests of this client at once: the limit is FERRY_MAX_CONNECTIONS_PER_PEER"
)
