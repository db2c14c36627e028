"""Checks every request's headers, credential and API version; errors are in the envelope."""

import re
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import hdrs, web

from ..intake import BodyTooLong, body_chunks
from ..journal import fingerprint
from ..made_up import is_made_up
from ..multipart import MultipartError
from ..refusal import Refusal
from ..shape import ShapeError
from .dialect import VERSIONS, Dialect
from .envelope import enveloped, error_body, refuse, shape_text
from .store import DIALECT, OWNER, STORE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Headers of the proxy, Google and OpenAI, which the proxy must have removed.
FOREIGN_HEADER = re.compile(r"x-goog-.*|x-model-provider|x-ferry-.*|openai-.*", re.IGNORECASE)
API_KEY = re.compile(r"sk-ant-api[\w-]+")
OAUTH_TOKEN = re.compile(r"sk-ant-oat[\w-]+")
OAUTH_BETA = "oauth-2025-04-20"
BETA = re.compile(r"[a-z0-9-]+-\d{4}-\d{2}-\d{2}")
JSON_TYPE = re.compile(r"application/json(; *charset=utf-8)?", re.IGNORECASE)
REQUEST_ID = web.RequestKey("request_id", str)


@web.middleware
async def envelope_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_fake/"):
        return await handler(request)
    request[REQUEST_ID] = request.app[STORE].new_id("req_")
    try:
        return await handler(request)
    except Refusal as refusal:
        answer = refusal
    except ShapeError as error:
        answer = refuse(400, shape_text(error))
    except orjson.JSONDecodeError as error:
        answer = refuse(400, f"The request body is not valid JSON: {error}")
    except MultipartError as error:
        answer = refuse(400, f"Could not parse the multipart form: {error}.")
    except BodyTooLong:
        answer = refuse(413, "Request exceeds the maximum size")
    except web.HTTPException as error:
        if error.status not in (404, 405):
            raise
        answer = Refusal(error.status, error_body(error.status, error.reason))
    payload = enveloped(dict(answer.payload), request[REQUEST_ID])
    return web.json_response(payload, status=answer.status, headers=answer.headers)


@web.middleware
async def gate_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith("/_fake/"):
        return await handler(request)
    for name in request.headers:
        if FOREIGN_HEADER.fullmatch(name):
            raise refuse(400, f"The header {name} must not leave the proxy.")
    betas = _betas(request)
    request[OWNER] = _owner(request, betas)
    request[DIALECT] = Dialect(_version(request), betas)
    return await handler(request)


def _betas(request: web.Request) -> frozenset[str]:
    given = ",".join(request.headers.getall("anthropic-beta", []))
    betas = frozenset(name.strip() for name in given.split(",")) if given else frozenset()
    for name in betas:
        if not BETA.fullmatch(name):
            raise refuse(400, f"Unexpected value(s) `{name}` for the `anthropic-beta` header.")
    return betas


def _version(request: web.Request) -> str:
    given = request.headers.getall("anthropic-version", [])
    if not given:
        raise refuse(400, "anthropic-version: header is required")
    if len(given) > 1 or given[0] not in VERSIONS:
        raise refuse(400, f'anthropic-version: "{given[0]}" is not a valid version')
    return given[0]


def _owner(request: web.Request, betas: frozenset[str]) -> str:
    """The workspace: the credential's own, or the one named in the header if it has several."""
    keys = request.headers.getall("x-api-key", [])
    bearers = request.headers.getall(hdrs.AUTHORIZATION, [])
    if len(keys) + len(bearers) > 1:
        raise refuse(400, "Exactly one of x-api-key and Authorization is to be given, once.")
    if not keys and not bearers:
        raise refuse(401, "x-api-key header is required")
    credential = keys[0] if keys else _bearer(bearers[0], betas)
    if keys and (not API_KEY.fullmatch(credential) or is_made_up(credential)):
        raise refuse(401, "invalid x-api-key")
    if is_made_up(credential):
        raise refuse(401, "Invalid bearer token")
    return fingerprint(credential + request.headers.get("anthropic-workspace-id", ""))


def _bearer(header: str, betas: frozenset[str]) -> str:
    scheme, _, token = header.partition(" ")
    # The official SDK sends API keys so too (anthropic.md section 1).
    if scheme != "Bearer" or not (API_KEY.fullmatch(token) or OAUTH_TOKEN.fullmatch(token)):
        raise refuse(401, "Invalid bearer token")
    if OAUTH_TOKEN.fullmatch(token) and OAUTH_BETA not in betas:
        raise refuse(401, "OAuth authentication is currently not supported.")
    return token


async def name_request(request: web.Request, response: web.StreamResponse) -> None:
    """Sets the header on every answer."""
    if not request.path.startswith("/_fake/"):
        known = request.get(REQUEST_ID) or request.app[STORE].new_id("req_")
        response.headers.setdefault("request-id", known)


def allow_query(request: web.Request, *names: str) -> None:
    """Refuse query parameters of other names, and any but a list (`name[]`) given twice."""
    for name in request.query:
        if name not in names:
            raise refuse(400, f"{name}: Extra inputs are not permitted")
        if len(request.query.getall(name)) > 1 and not name.endswith("[]"):
            raise refuse(400, f"{name}: given twice")


def needs_json(request: web.Request) -> None:
    if not JSON_TYPE.fullmatch(request.headers.get(hdrs.CONTENT_TYPE, "")):
        raise refuse(400, "The Content-Type must be application/json.")


async def no_body(request: web.Request) -> None:
    """Refuse a body, for calls that take none."""
    async for _ in body_chunks(request):
        raise refuse(400, "This call takes no body.")
