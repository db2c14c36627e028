"""An error as the object in Google's envelope."""

import re
from typing import Any, Final

from aiohttp import web

from middlewares.request_keys import PROVIDER
from providers.errors import FerryError
from providers.upstream import UpstreamError

# Seconds or a date (RFC 9110 section 10.2.3). An upstream may send anything, so it is checked.
_RETRY_AFTER: Final = re.compile(r"[0-9]{1,9}|[A-Z][a-z]{2}, [0-9A-Za-z: ]{16,22} GMT")

_IN_A_MOMENT: Final = "1"


def naming_the_provider(request: web.Request, error: FerryError) -> FerryError:
    """Adds the provider's name to the error of an upstream that gave no usable response."""
    provider = request.get(PROVIDER)
    if isinstance(error, UpstreamError) and provider is not None and error.provider is None:
        return error.naming(provider.name)
    return error


def retry_after(error: FerryError) -> str | None:
    """What an upstream asks for. What the proxy itself cannot do now, it can do in a moment."""
    said = error.retry_after or ""
    if _RETRY_AFTER.fullmatch(said):
        return said
    ours = error.upstream_status is None
    return _IN_A_MOMENT if ours and error.code in (429, 503) else None


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
    said = retry_after(error) or ""
    if said.isdecimal():  # as Google says it
        info = {"@type": "type.googleapis.com/google.rpc.RetryInfo"}
        details.append({**info, "retryDelay": f"{said}s"})
    return {**envelope, "details": details} if details else envelope
