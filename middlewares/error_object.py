"""An error as the object in Google's envelope."""

from typing import Any, Final

from aiohttp import web

from middlewares.request_keys import PROVIDER
from providers.errors import FerryError
from providers.upstream import UpstreamError

_IN_A_MOMENT: Final = "1"


def naming_the_provider(request: web.Request, error: FerryError) -> FerryError:
    """Adds the provider's name to the error of an upstream that gave no usable response."""
    provider = request.get(PROVIDER)
    if isinstance(error, UpstreamError) and provider is not None and error.provider is None:
        return error.naming(provider.name)
    return error


def retry_after(error: FerryError) -> str | None:
    """What an upstream asks for. What the proxy itself cannot do now, it can do in a moment."""
    # An error inside a stream has its provider's reason, and no HTTP status.
    providers = error.upstream_status or (isinstance(error, UpstreamError) and error.reason)
    if error.retry_after is not None or providers or error.code not in (429, 503):
        return error.retry_after
    return _IN_A_MOMENT


def error_object(error: FerryError) -> dict[str, Any]:
    envelope: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "status": error.status.name,
    }
    details: list[dict[str, Any]] = []
    if error.provider:
        metadata = {
            "requestId": error.request_id,
            "httpStatus": str(error.upstream_status) if error.upstream_status else None,
        }
        details.append(
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": error.reason or error.status.name,
                "domain": error.provider,
                "metadata": {key: value for key, value in metadata.items() if value},
            }
        )
    said = retry_after(error)
    if said is not None:  # as Google says it
        info = {"@type": "type.googleapis.com/google.rpc.RetryInfo"}
        details.append({**info, "retryDelay": f"{said}s"})
    return {**envelope, "details": details} if details else envelope
