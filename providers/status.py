"""The statuses of Google's RPCs, by name, by number, and by HTTP status (translation.md section 6).

The error of a request has the HTTP status (`providers.errors`). The error of a batch, or of one
item in it, has the RPC number; this module is for those.
"""

from collections.abc import Mapping
from typing import Any, Final

RPC_CODES: Final[Mapping[str, int]] = {
    "CANCELLED": 1,
    "UNKNOWN": 2,
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "DATA_LOSS": 15,
    "UNAUTHENTICATED": 16,
}

RPC_STATUS_OF_HTTP: Final[Mapping[int, str]] = {
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    504: "DEADLINE_EXCEEDED",
}


def rpc_status_of_http(status: int) -> str:
    """The RPC name of an upstream's HTTP status, 400 to 599; UNKNOWN for any other number."""
    if status in RPC_STATUS_OF_HTTP:
        return RPC_STATUS_OF_HTTP[status]
    if 400 <= status < 500:
        return "INVALID_ARGUMENT"
    return "UNAVAILABLE" if 500 <= status < 600 else "UNKNOWN"


def status_of_refusal(status: int) -> str:
    """The RPC name for a call that an upstream refused with this HTTP status.

    Two statuses differ from those of an item: waiting does not help an account without credit, and
    the error envelope has no status for a client that disconnected.
    """
    if status == 402:
        return "FAILED_PRECONDITION"
    if status == 499:
        return "INVALID_ARGUMENT"
    name = rpc_status_of_http(status)
    return "UNAVAILABLE" if name == "UNKNOWN" else name


def explain_status(status: int) -> str:
    """The message for an answer without a reason. Redirects and 404s often mean a wrong address."""
    if 300 <= status < 400:
        return f"HTTP status {status}, a redirect, which is not followed: check the BASE_URL"
    if status == 404:
        return "HTTP status 404 without a reason: check the BASE_URL"
    return f"HTTP status {status}"


def item_error(status: str, message: str) -> dict[str, Any]:
    """The error of a batch, or of one item of it: `{"code": 3, "message": "..."}`.

    It has no `details`: the SDK expects strings there, and cannot read a job whose details have
    objects (gemini.md section 6).
    """
    return {"code": RPC_CODES[status], "message": message}
