"""The order of the chain, in one list."""

from typing import Final

from aiohttp import HttpVersion11, web

from middlewares.admission import required_credential
from middlewares.auth_passthrough import auth_passthrough
from middlewares.error_envelope import error_envelope, render_error
from middlewares.forward import forward
from middlewares.header_text import make_headers_valid
from middlewares.observe import observe
from middlewares.provider_resolution import provider_resolution, resolve
from middlewares.request_keys import GATEWAY, Gateway
from middlewares.request_rewrite import request_rewrite
from middlewares.response_rewrite import response_rewrite
from providers.errors import FerryError, invalid_argument

CHAIN: Final = (
    observe,
    error_envelope,
    auth_passthrough,
    provider_resolution,
    request_rewrite,
    response_rewrite,
)


def mount(app: web.Application, gateway: Gateway) -> None:
    """Sends every request without another route through the chain, and then to `forward`."""
    app[GATEWAY] = gateway
    app.on_response_prepare.append(make_headers_valid)
    app.router.add_route("*", r"/{path:[\s\S]*}", forward, expect_handler=expect)


async def expect(request: web.Request) -> web.StreamResponse | None:
    """Answers `Expect: 100-continue`: a caller whose key is refused learns it before the body.

    HTTP/1.0 has no interim responses, so the header is ignored there (RFC 9110 section 10.1.1).
    """
    if request.version < HttpVersion11:
        return None
    try:
        if request.headers.get("Expect", "").lower() != "100-continue":
            raise invalid_argument("unknown expectation; known: 100-continue")
        request.app[GATEWAY].origins.check(request)
        if "upload_id" not in request.query:  # an upload URL is checked later, when it is opened
            credential = required_credential(request)
            provider = resolve(request.app[GATEWAY], request.headers.get("x-model-provider"))
            client = request.app[GATEWAY].admission.check(request, provider, credential)
            client.check_provider(provider.name)
    except FerryError as error:
        response = render_error(error)
        response.force_close()
        return response
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    # The interim response does not count towards the size of the response.
    request.writer.output_size = 0
    return None
