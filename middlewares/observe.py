"""First step: gives each request an id, and logs one line without secrets for it."""

import logging
import secrets
import time

from aiohttp import web

from middlewares.log_fields import log_fields
from middlewares.request_keys import PROVIDER, REQUEST_ID, ROUTE, Handler

_log = logging.getLogger("genai_ferry.access")


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Never logs whole paths or queries: both can contain secrets (keys, upload URLs)."""
    request[REQUEST_ID] = secrets.token_hex(8)
    began = time.monotonic()
    response = None
    try:
        response = await handler(request)
        if not response.prepared:
            response.headers["x-ferry-request-id"] = request[REQUEST_ID]
        return response
    finally:
        route, provider = request.get(ROUTE), request.get(PROVIDER)
        _log.info(
            "request",
            extra={
                "request_id": request[REQUEST_ID],
                "method": request.method,
                "call": route.call.name if route else None,
                "provider": provider.name if provider else None,
                "status": response.status if response else None,
                "seconds": round(time.monotonic() - began, 4),
                **log_fields(request, response),
            },
        )
