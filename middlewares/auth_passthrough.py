"""Third step: takes the credential from the request, or opens the sealed upload URL.

First it refuses web pages that may not call, whatever they send.
"""

from aiohttp import web

from middlewares.admission import lift_credential, required_credential, unknown_upload_url
from middlewares.http_rules import check_http_rules
from middlewares.paths import UPLOAD_TAIL
from middlewares.request_keys import CREDENTIAL, GATEWAY, ROUTE, UPLOAD_URL, Handler
from middlewares.routes import parse_route, parse_upload_url
from providers.errors import not_found


@web.middleware
async def auth_passthrough(request: web.Request, handler: Handler) -> web.StreamResponse:
    check_http_rules(request)
    gateway, method = request.app[GATEWAY], request.method
    gateway.origins.check(request)
    path, token = gateway.public_address.local_path(request), request.query.get("upload_id")
    upload = parse_upload_url(method, path) if token is not None else None
    route = upload or parse_route(method, path)
    if route is None:
        raise not_found("nothing is served here; the SDK's base_url must end with /genai")
    request[ROUTE] = route
    if upload is None or token is None:
        request[CREDENTIAL] = required_credential(request)
        return await handler(request)
    request[CREDENTIAL] = lift_credential(request)
    sealed = gateway.upload_urls.open(token, UPLOAD_TAIL)
    if sealed is None:
        raise unknown_upload_url()
    request[UPLOAD_URL] = sealed
    return await handler(request)
