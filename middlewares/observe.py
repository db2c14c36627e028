"""First step: gives each request an id, measures it, and logs one line without secrets for it."""

import logging
import re
import secrets
from functools import partial
from typing import Final

from aiohttp import web

from middlewares import operations as op
from middlewares import outcomes
from middlewares.log_fields import log_fields, shows_a_key
from middlewares.observation import Observation, Origin, Refused, UploadEvent
from middlewares.request_keys import (
    GATEWAY,
    OBSERVATION,
    OPERATION,
    OUTCOME,
    PROVIDER,
    REFUSAL,
    REQUEST_ID,
    ROUTE,
    Handler,
)
from middlewares.streamed_response import StreamedResponse
from providers.errors import FerryError
from providers.state import StateError
from providers.upload import UploadProgress, UploadStatus
from providers.upstream import UpstreamError

# What nginx logs if the client left before the response.
CLIENT_LEFT: Final = 499

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")

_log = logging.getLogger("genai_ferry.access")


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Never logs whole paths or queries: both can contain secrets (keys, upload URLs)."""
    request_id = request[REQUEST_ID] = _request_id(request)
    seen = request[OBSERVATION] = Observation()
    request.app[GATEWAY].observer.begun(seen, request.method, request.headers)
    try:
        response = await handler(request)
    except BaseException:
        _end(request, None)
        raise
    if not response.prepared:
        response.headers["x-ferry-request-id"] = response.headers["x-request-id"] = request_id
    if isinstance(response, StreamedResponse) and not response.prepared:
        response.ended = partial(_end, request, response)  # its body is sent after this step
    else:
        _end(request, response)
    return response


def _request_id(request: web.Request) -> str:
    """That of a trusted proxy in front, so that its log and ours can be compared, or a new one."""
    given = request.headers.get("x-request-id", "")
    usable = _REQUEST_ID.fullmatch(given) and not shows_a_key(request, given)
    if usable and request.app[GATEWAY].public_address.is_trusted(request.remote):
        return given
    return secrets.token_hex(8)


def _end(request: web.Request, response: web.StreamResponse | None) -> None:
    seen = request[OBSERVATION]
    outcome = None if response is None else response.get(OUTCOME)
    refusal = request.get(REFUSAL)
    if isinstance(response, web.Response) and isinstance(response.body, bytes):
        seen.bytes_out = len(response.body)
    seen.upload = _upload_event(request.get(OPERATION), outcome)
    seen.relayed = isinstance(request.get(OPERATION), op.Relayed)
    seen.refused = None if refusal is None else Refused(refusal.status.name, _origin(refusal))
    route, provider = request.get(ROUTE), request.get(PROVIDER)
    seen.operation = route.call.name if route else ""
    seen.provider = provider.name if provider else ""
    seen.ends(CLIENT_LEFT if response is None else response.status)
    request.app[GATEWAY].observer.ended(seen)
    fields = {
        "request_id": request[REQUEST_ID],
        "method": request.method,
        "operation": seen.operation or None,
        "provider": seen.provider or None,
        "status": seen.code,
        "seconds": round(seen.seconds, 4),
        "own_seconds": round(seen.own_seconds, 4),
        "bytes_in": seen.bytes_in,
        "bytes_out": seen.bytes_out,
        **log_fields(request, response),
    }
    _log.info("request", extra=fields)


def _origin(error: FerryError) -> Origin:
    if isinstance(error, StateError):
        return Origin.STATE
    if isinstance(error, UpstreamError) or error.provider is not None:
        return Origin.PROVIDER
    return Origin.PROXY


def _upload_event(operation: op.Operation | None, outcome: outcomes.Outcome) -> UploadEvent | None:
    match operation, outcome:
        case op.StartUpload(), outcomes.Started():
            return UploadEvent.STARTED
        case op.QueryUpload(), UploadProgress(status=UploadStatus.ACTIVE):
            return UploadEvent.RESUMED
        case op.SendChunk(), UploadProgress(status=UploadStatus.FINAL, repeated=False):
            return UploadEvent.FINISHED
        case op.CancelUpload(), UploadProgress():
            return UploadEvent.CANCELLED
        case op.CreateFile(), outcomes.FileCreated():
            return UploadEvent.FINISHED
        case _:
            return None
