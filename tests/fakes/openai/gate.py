"""Checks every request's headers and key; errors are in OpenAI's envelope."""

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
from .envelope import refuse, shape_body
from .store import OWNER, STORE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Headers of the proxy and Google, which the proxy must have removed.
FOREIGN_HEADER = re.compile(r"x-goog-.*|x-model-provider|x-ferry-.*|anthropic-.*", re.IGNORECASE)
GOOD_KEY = re.compile(r"sk-[\w-]+")


@web.middleware
async def envelope_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        answer = refusal
    except ShapeError as error:
        answer = Refusal(400, shape_body(error))
    except orjson.JSONDecodeError:
        answer = refuse(400, "We could not parse the JSON body of your request.")
    except MultipartError as error:
        answer = refuse(400, f"Could not parse multipart form: {error}.")
    except BodyTooLong:
        answer = refuse(413, "The request body is too large.")
    except web.HTTPLengthRequired:
        answer = refuse(411, "A Content-Length is required.")
    except web.HTTPException as error:
        if error.status not in (404, 405):
            raise
        answer = refuse(error.status, f"Invalid URL ({request.method} {request.path})")
    return web.json_response(answer.payload, status=answer.status, headers=answer.headers)


@web.middleware
async def gate_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_fake/"):
        return await handler(request)
    for name in request.headers:
        if FOREIGN_HEADER.fullmatch(name):
            raise refuse(400, f"The header {name} must not leave the proxy.")
    request[OWNER] = _owner(request)
    return await handler(request)


def _owner(request: web.Request) -> str:
    given = request.headers.getall(hdrs.AUTHORIZATION, [])
    if not given:
        raise refuse(401, "You didn't provide an API key.")
    scheme, _, key = given[0].partition(" ")
    good = GOOD_KEY.fullmatch(key) and not is_made_up(key)
    if len(given) > 1 or scheme != "Bearer" or not good:
        raise refuse(401, "Incorrect API key provided.", code="invalid_api_key")
    return fingerprint(key)


async def name_request(request: web.Request, response: web.StreamResponse) -> None:
    """Sets the header on every answer."""
    if not request.path.startswith("/_fake/"):
        response.headers.setdefault("x-request-id", request.app[STORE].new_id("req_"))
        response.headers.setdefault("openai-processing-ms", "1")
