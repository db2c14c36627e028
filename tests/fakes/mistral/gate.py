"""Checks every request's headers and key; errors have Mistral's bodies."""

import re
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import hdrs, web

from ..intake import BodyTooLong
from ..journal import fingerprint
from ..made_up import is_made_up
from ..multipart import MultipartError
from ..refusal import Refusal
from ..shape import ShapeError
from .envelope import UNAUTHORIZED, refuse, validation_body
from .store import OWNER, STORE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Headers of the proxy, Google and other providers, which the proxy must have removed.
FOREIGN_HEADER = re.compile(
    r"x-goog-.*|x-model-provider|x-ferry-.*|x-api-key|openai-.*|anthropic-.*", re.IGNORECASE
)
# Unverified: that every key has this form (mistral.md section 1).
GOOD_KEY = re.compile(r"[A-Za-z0-9]{32}")


@web.middleware
async def envelope_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        answer = refusal
    except ShapeError as error:
        place = "query" if request.method == hdrs.METH_GET else "body"
        answer = Refusal(422, validation_body(error, place))
    except orjson.JSONDecodeError as error:
        answer = Refusal(422, validation_body(ShapeError("value", "", str(error)), "body"))
    except MultipartError as error:
        answer = refuse(400, f"There was an error parsing the body: {error}.")
    except BodyTooLong:
        answer = refuse(413, "The request is too large.")
    except web.HTTPLengthRequired:
        answer = refuse(411, "A Content-Length is required.")
    except web.HTTPException as error:
        if error.status not in (404, 405):
            raise
        answer = refuse(error.status, error.reason)
    return web.json_response(answer.payload, status=answer.status, headers=answer.headers)


@web.middleware
async def gate_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_fake/"):
        return await handler(request)
    for name in request.headers:
        if FOREIGN_HEADER.fullmatch(name):
            raise refuse(400, f"The header {name} must not leave the proxy.")
    given = request.headers.getall(hdrs.AUTHORIZATION, [])
    scheme, _, key = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme != "Bearer" or not GOOD_KEY.fullmatch(key) or is_made_up(key):
        raise Refusal(401, UNAUTHORIZED)
    request[OWNER] = fingerprint(key)
    return await handler(request)


async def name_request(request: web.Request, response: web.StreamResponse) -> None:
    """Sets the header on every answer."""
    if not request.path.startswith("/_fake/"):
        response.headers.setdefault("mistral-correlation-id", request.app[STORE].new_id())
