"""One line of a batch's results -> one result in Gemini's shape.

`from_anthropic_line` does not raise: a line that cannot be read is one failed item, not a failed
file.
"""

from collections.abc import Mapping
from typing import Any, Final

from providers.batches.batch_results import CANCELLED, EXPIRED
from providers.claude_content.message_from_anthropic import from_anthropic_message
from providers.errors import FerryError
from providers.json_api.answer_shape import as_object, text_or_none, unreadable
from providers.resources import BatchState, Failure
from providers.status import Status, item_error

# anthropic.md section 5, by translation.md section 6
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

_NEVER_ANSWERED: Final = Failure(
    Status.INTERNAL, "Anthropic ended the batch without an answer to this request."
)
_MISSING: Final = {BatchState.CANCELLED: CANCELLED, BatchState.EXPIRED: EXPIRED}


def from_anthropic_line(line: object) -> dict[str, Any]:
    """`{"response": {...}}` or `{"error": {"code": <rpc number>, "message": "..."}}`.

    A malformed line or message becomes an error INTERNAL (13).
    """
    try:
        return _result(as_object(as_object(line, "the line").get("result"), "result"))
    except FerryError as error:
        return {"error": item_error(error.status, error.message)}


def missing_result(state: BatchState) -> Failure:
    """Why a request has no result in a batch that ended in `state`."""
    return _MISSING.get(state, _NEVER_ANSWERED)


def _result(result: dict[str, Any]) -> dict[str, Any]:
    match result.get("type"):
        case "succeeded":
            return {"response": from_anthropic_message(as_object(result.get("message"), "message"))}
        case "errored":
            return {"error": _refusal(result.get("error"))}
        case "canceled":
            return {"error": item_error(CANCELLED.status, CANCELLED.message)}
        case "expired":
            return {"error": item_error(EXPIRED.status, EXPIRED.message)}
        case _:
            raise unreadable("the result has an unknown type")


def _refusal(envelope: object) -> dict[str, Any]:
    outer = as_object(envelope, "error")
    # Anthropic writes the envelope of an HTTP error here, which has the error inside.
    inner = outer.get("error")
    error = inner if isinstance(inner, dict) else outer
    kind = text_or_none(error.get("type")) or ""
    message = text_or_none(error.get("message")) or kind or "Anthropic gave no reason"
    return item_error(RPC_STATUS_OF_TYPE.get(kind, Status.UNKNOWN), message)
