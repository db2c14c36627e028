"""Anthropic's types of errors (anthropic.md section 5).

An error in a stream, in the results of a batch, or in an answer with the status 200 has no HTTP
status of its own.
"""

from collections.abc import Mapping
from typing import Any, Final

from providers.json_api.refusal_body import code_of, has_code, message_of
from providers.status import Status
from providers.upstream import UpstreamError

RPC_STATUS_OF_TYPE: Final[Mapping[str, Status]] = {
    "invalid_request_error": Status.INVALID_ARGUMENT,
    "request_too_large": Status.INVALID_ARGUMENT,
    "authentication_error": Status.UNAUTHENTICATED,
    "billing_error": Status.RESOURCE_EXHAUSTED,
    "rate_limit_error": Status.RESOURCE_EXHAUSTED,
    "permission_error": Status.PERMISSION_DENIED,
    "not_found_error": Status.NOT_FOUND,
    "conflict_error": Status.ABORTED,
    "api_error": Status.UNAVAILABLE,
    "overloaded_error": Status.UNAVAILABLE,
    "timeout_error": Status.DEADLINE_EXCEEDED,
}
NO_CREDIT: Final = frozenset({"billing_error", "enforced_spend_limit_reached"})
"""Refusals of an account that is empty or has reached its limit: waiting does not help."""

_TYPE_OF_HTTP: Final[Mapping[int, str]] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def type_of_http(code: int) -> str:
    """The type of an error with the HTTP status `code` (anthropic.md section 1)."""
    other = "invalid_request_error" if code < 500 else "api_error"
    return _TYPE_OF_HTTP.get(code, other)


def reported_error(event: dict[str, Any]) -> UpstreamError:
    """The error in an event of a stream, or in place of an answer."""
    kind = code_of(event)
    message = message_of(event) or kind or "the provider gave no reason"
    lasts = has_code(event, NO_CREDIT)
    known = RPC_STATUS_OF_TYPE.get(kind, Status.UNAVAILABLE)
    status = Status.FAILED_PRECONDITION if lasts else known
    return UpstreamError(status, message, reason=kind or status.name)
