"""Second step: turns every error of the later steps into Google's error envelope."""

import logging
import traceback
from typing import Final

from aiohttp import web

from middlewares.error_object import error_object, naming_the_provider, retry_after
from middlewares.inbound_body import ClientDisconnected, ClientTooSlow, discard
from middlewares.request_keys import REFUSAL, REQUEST_ID, ROUTE, Handler
from middlewares.routes import UPLOAD
from providers.body import TruncatedBody
from providers.errors import FerryError, invalid_argument, unavailable
from providers.json_api.json_text import render_json
from providers.status import Status
from providers.upload import UploadStatus

_INTERRUPTED: Final = FerryError(Status.INVALID_ARGUMENT, "the request was interrupted")

_log = logging.getLogger("genai_ferry.errors")


@web.middleware
async def error_envelope(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except FerryError as error:
        refusal = naming_the_provider(request, error)
    except web.HTTPException as error:
        refusal = FerryError(Status.INVALID_ARGUMENT, error.reason)
    except ClientTooSlow as error:
        refusal = request[REFUSAL] = FerryError(Status.DEADLINE_EXCEEDED, str(error))
        return _last(render_error(refusal, upload_status(request, refusal)))
    except (ClientDisconnected, ConnectionResetError):
        return _last(render_error(_INTERRUPTED))
    except Exception as error:
        refusal = _unexpected(request, error)
    request[REFUSAL] = refusal
    read_to_end = await discard(request)
    response = render_error(refusal, upload_status(request, refusal))
    return response if read_to_end else _last(response)


def _last(response: web.Response) -> web.Response:
    """The rest of the body is not read, so the connection cannot be used again."""
    response.force_close()
    return response


def _unexpected(request: web.Request, error: Exception) -> FerryError:
    """Messages may contain what the client sent, or paths: only types and tracebacks are logged."""
    request_id = request[REQUEST_ID]
    match error:
        case TruncatedBody():
            return invalid_argument(str(error))
        case OSError(errno=int(), strerror=reason):
            # Such as a full disk, or too many open files. Upstreams and stores have their own.
            extra = {"request_id": request_id, "reason": reason}
            _log.error("the operating system refused: %s", type(error).__name__, extra=extra)
            return unavailable(f"the proxy lacks a resource: {reason}")
        case _:
            where = "".join(traceback.format_tb(error.__traceback__))
            extra = {"request_id": request_id}
            _log.error("a bug of ours: %s\n%s", type(error).__name__, where, extra=extra)
            return FerryError(Status.INTERNAL, f"internal error, request {request_id}")


def upload_status(request: web.Request, error: FerryError) -> str | None:
    """`final` stops an SDK immediately; without the header it sends the chunk again.

    An error must never carry `active` (sdk-wire.md section 2).
    """
    route = request.get(ROUTE)
    if error.upload_status or route is None or route.call is not UPLOAD:
        return error.upload_status
    return UploadStatus.FINAL if error.permanent else None


def render_error(error: FerryError, upload: str | None = None) -> web.Response:
    response = web.Response(
        status=error.code,
        body=render_json({"error": error_object(error)}),
        content_type="application/json",
    )
    if upload:
        response.headers["X-Goog-Upload-Status"] = upload
    said = retry_after(error)
    if said:
        response.headers["Retry-After"] = said
    return response
