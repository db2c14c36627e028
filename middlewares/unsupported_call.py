"""The message of a 501: the call that is not supported, and what works instead."""

from typing import Final

from aiohttp import web

from middlewares.request_keys import ROUTE
from middlewares.routes import effective_method
from providers.errors import FerryError, unimplemented
from providers.provider import Provider

_PATH_LIMIT: Final = 120


def unsupported_call(request: web.Request, provider: Provider) -> FerryError:
    """Names the provider's capabilities as the SDK does, such as `client.files`."""
    capabilities = {"client.files": provider.files, "client.batches": provider.batches}
    working = [name for name, capability in capabilities.items() if capability is not None]
    target = request[ROUTE].target[:_PATH_LIMIT] or "without a path"
    asked = f"{effective_method(request.method)} {target}"
    return unimplemented(
        f"{asked} is not supported for {provider.name}: only {' and '.join(working)} "
        f"work{'s' if len(working) == 1 else ''} with {provider.name}"
    )
