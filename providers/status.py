"""The statuses of Google's RPCs: by name, by number and by HTTP status (translation.md section 6).

Google's `google/rpc/code.proto` pairs them:
https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final


class Status(Enum):
    """An error envelope shows the name and has the status `http`; an item's error has the `number`.

    It is not a StrEnum, so that mypy refuses to compare it with a bare string. The first of those
    that share an HTTP status is the most general.
    """

    INVALID_ARGUMENT = 400, 3
    FAILED_PRECONDITION = 400, 9
    OUT_OF_RANGE = 400, 11
    UNAUTHENTICATED = 401, 16
    PERMISSION_DENIED = 403, 7
    NOT_FOUND = 404, 5
    ALREADY_EXISTS = 409, 6
    ABORTED = 409, 10
    RESOURCE_EXHAUSTED = 429, 8
    CANCELLED = 499, 1
    INTERNAL = 500, 13
    UNKNOWN = 500, 2
    DATA_LOSS = 500, 15
    UNIMPLEMENTED = 501, 12
    UNAVAILABLE = 503, 14
    DEADLINE_EXCEEDED = 504, 4

    def __init__(self, http: int, number: int) -> None:
        self.http = http
        self.number = number


_STATUS_OF_HTTP: Final[Mapping[int, Status]] = {
    401: Status.UNAUTHENTICATED,
    402: Status.RESOURCE_EXHAUSTED,
    403: Status.PERMISSION_DENIED,
    404: Status.NOT_FOUND,
    405: Status.UNIMPLEMENTED,
    408: Status.DEADLINE_EXCEEDED,
    409: Status.ABORTED,
    429: Status.RESOURCE_EXHAUSTED,
    499: Status.CANCELLED,
    501: Status.UNIMPLEMENTED,
    504: Status.DEADLINE_EXCEEDED,
}


def rpc_status_of_http(http: int) -> Status:
    """What an upstream's HTTP status, 400 to 599, means; UNKNOWN for any other number."""
    if http in _STATUS_OF_HTTP:
        return _STATUS_OF_HTTP[http]
    if 400 <= http < 500:
        return Status.INVALID_ARGUMENT
    return Status.UNAVAILABLE if 500 <= http < 600 else Status.UNKNOWN


def status_of_refusal(http: int) -> Status:
    """The status for a call that an upstream refused with this HTTP status.

    Two differ from those of an item: waiting does not help an account without credit, and 499
    would say that our own client disconnected.
    """
    if http == 402:
        return Status.FAILED_PRECONDITION
    if http == 499:
        return Status.INVALID_ARGUMENT
    status = rpc_status_of_http(http)
    return Status.UNAVAILABLE if status is Status.UNKNOWN else status


def is_redirect(http: int) -> bool:
    """304 is none: it says that the client's own copy is still good."""
    return 300 <= http < 400 and http != 304


def explain_status(http: int) -> str:
    """The message for an answer without a reason. Redirects and 404s often mean a wrong address."""
    if 300 <= http < 400:
        return f"HTTP status {http}, a redirect, which is not followed: check the BASE_URL"
    if http == 404:
        return "HTTP status 404 without a reason: check the BASE_URL"
    return f"HTTP status {http}"


def item_error(status: Status, message: str) -> dict[str, Any]:
    """The error of a batch, or of one item of it: `{"code": 3, "message": "..."}`.

    It has no `details`: the SDK expects strings there, and cannot read a job whose details have
    objects (gemini.md section 6).
    """
    return {"code": status.number, "message": message}
