"""What every request must pass: the header rule, the key, and errors in Google's envelope."""

import re
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import hdrs, web

from ..intake import BodyTooLong
from ..journal import credential_of, fingerprint
from ..made_up import is_made_up
from ..refusal import Refusal
from ..shape import ShapeError
from .envelope import invalid, refuse
from .store import OWNER

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# What is the proxy's own, or another provider's, must have been taken off.
FOREIGN_HEADER = re.compile(r"x-model-provider|x-ferry-.*|openai-.*|anthropic-.*", re.IGNORECASE)
GOOD_KEY = re.compile(r"AIza[\w-]*|AQ\.[\w.-]*|ya29\.[\w.-]*")

MISSING_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key or other form of API consumer identity to call this API."
)
NOT_FOUND_PAGE = (
    "<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title>"
    "<p>The requested URL was not found on this server."
)


@web.middleware
async def envelope_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        answer = refusal
    except ShapeError as error:
        answer = invalid(f"Invalid JSON payload received. {error.message}")
    except orjson.JSONDecodeError as error:
        answer = invalid(f"Invalid JSON payload received. {error}")
    except BodyTooLong:
        answer = invalid("Request payload size exceeds the limit.")
    except web.HTTPException as error:
        if error.status not in (404, 405):
            raise
        # Google's front end answers a path that it does not know with a page.
        return web.Response(status=404, text=NOT_FOUND_PAGE, content_type="text/html")
    return web.Response(
        status=answer.status,
        body=orjson.dumps(answer.payload),
        headers={hdrs.CONTENT_TYPE: "application/json; charset=UTF-8", **answer.headers},
    )


@web.middleware
async def gate_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_fake/"):
        return await handler(request)
    for name in request.headers:
        if FOREIGN_HEADER.fullmatch(name):
            raise invalid(f"The header {name} must not leave the proxy.")
    # The upload URL is a capability: it needs no key (sdk-wire.md section 1b).
    if "upload_id" not in request.query:
        request[OWNER] = _owner(request)
    return await handler(request)


def _owner(request: web.Request) -> str:
    if len(request.headers.getall("X-Goog-Api-Key", [])) > 1:
        raise invalid("x-goog-api-key was given twice.")
    credential = credential_of(request)
    if credential is None:
        raise refuse("PERMISSION_DENIED", MISSING_KEY)
    if not GOOD_KEY.fullmatch(credential) or is_made_up(credential):
        message = "API key not valid. Please pass a valid API key."
        raise refuse("INVALID_ARGUMENT", message, reason="API_KEY_INVALID")
    return fingerprint(credential)


def allow_query(request: web.Request, *names: str) -> None:
    """Refuse query parameters that are neither of this method nor of every Google API."""
    for name in request.query:
        if name not in {*names, "key", "alt", "$alt", "prettyPrint", "fields", "quotaUser"}:
            raise invalid(f'Invalid JSON payload received. Unknown name "{name}".')
