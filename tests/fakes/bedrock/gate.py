"""What every request must pass: headers and signature; and errors in Bedrock's form."""

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import hdrs, web

from ..intake import BodyTooLong, read_whole
from ..refusal import Refusal
from ..shape import ShapeError
from .envelope import refuse, refuse_shape
from .signatures import Signed, check_signature

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# The proxy must have removed its own headers and other providers'.
FOREIGN_HEADER = re.compile(
    r"x-goog-.*|x-model-provider|x-ferry-.*|x-api-key|anthropic-.*|openai-.*", re.IGNORECASE
)
JSON_TYPE = re.compile(r"application/json(; *charset=utf-8)?", re.IGNORECASE)
BODY_BYTES = 25_000_000
BODY = web.RequestKey("body", bytes)


@web.middleware
async def envelope_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        answer = refusal
    except ShapeError as error:
        answer = refuse_shape(error)
    except orjson.JSONDecodeError:
        answer = refuse("ValidationException", "The request body is not valid JSON.")
    except BodyTooLong:
        answer = refuse("ValidationException", "The request body is too large.")
    except web.HTTPException as error:
        if error.status not in (404, 405):
            raise
        answer = refuse("UnknownOperationException", "There is no such operation.")
    return web.json_response(answer.payload, status=answer.status, headers=answer.headers)


@web.middleware
async def gate_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_fake/"):
        return await handler(request)
    for name in request.headers:
        if FOREIGN_HEADER.fullmatch(name):
            raise refuse("ValidationException", f"The header {name} must not leave the proxy.")
    request[BODY] = await read_whole(request, BODY_BYTES)
    headers = {name.lower(): value for name, value in request.headers.items()}
    url = f"http://{request.headers[hdrs.HOST]}{request.raw_path}"
    check_signature(Signed(request.method, url, headers, request[BODY]))
    return await handler(request)


async def name_request(request: web.Request, response: web.StreamResponse) -> None:
    """Sets the request id of every answer."""
    if not request.path.startswith("/_fake/"):
        response.headers.setdefault("x-amzn-RequestId", secrets.token_hex(16))


def allow_query(request: web.Request, *names: str) -> None:
    for name in request.query:
        if name not in names or len(request.query.getall(name)) > 1:
            raise refuse("ValidationException", f"Unknown or repeated query parameter: {name}")


def json_object(request: web.Request) -> dict[str, Any]:
    if not JSON_TYPE.fullmatch(request.headers.get(hdrs.CONTENT_TYPE, "")):
        raise refuse("ValidationException", "The Content-Type must be application/json.")
    parsed = orjson.loads(request[BODY])
    if not isinstance(parsed, dict):
        raise refuse("ValidationException", "The request body must be a JSON object.")
    return parsed


def no_body(request: web.Request) -> None:
    """For calls without a query."""
    if request[BODY] not in (b"", b"{}"):
        raise refuse("ValidationException", "This call takes no body.")
