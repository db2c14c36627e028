"""An answer in which the provider says that it failed, although its HTTP status is 200.

The error is in the place of an answer, in an event of a stream, in a choice, or only in its end.
"""

from collections.abc import Mapping
from typing import Any, Final

from providers.json_api.answer_shape import text_or_none
from providers.json_api.refusal_body import code_of, codes_of, has_code, message_of, status_in
from providers.openai_content.error_codes import NO_CREDIT, rpc_status_of_code
from providers.status import Status, status_of_refusal
from providers.upstream import UpstreamError

# In the results of a batch, it is also the type of a request that was never answered.
_INVALID: Final = "invalid_request_error"

# Not an end of the model's: the provider broke off, and the text is cut (openai.md section 10).
_BROKEN_OFF: Final = frozenset({"abort", "error", "insufficient_system_resource", "network_error"})

# How LM Studio answers a call that it does not serve, with 200.
_NOT_SERVED: Final = "Unexpected endpoint"


def refuse_error(answer: dict[str, Any], content: str) -> None:
    """Raises UpstreamError for an answer with an error in place of the member `content`.

    vLLM writes the error's members themselves.
    """
    if answer.get(content):
        return
    if answer.get("error") or (content not in answer and message_of(answer)):
        raise reported_error(answer)


def failure_of(choice: Mapping[str, Any]) -> UpstreamError | None:
    """The failure that ended a choice, whole or streamed; None for every other end."""
    native = text_or_none(choice.get("finish_reason"))
    if native not in _BROKEN_OFF:
        return None
    if choice.get("error"):
        return reported_error({"error": choice["error"]})
    return UpstreamError(
        Status.UNAVAILABLE, f"the provider broke the answer off: {native}", reason=native
    )


def reported_error(event: dict[str, Any]) -> UpstreamError:
    """The error in an event or an answer. Some servers nest it in `error`."""
    code, status = code_of(event), _status_of(event)
    message = message_of(event) or code or "the provider gave no reason"
    return UpstreamError(status, message, reason=code or status.name)


def _status_of(event: dict[str, Any]) -> Status:
    if has_code(event, NO_CREDIT):
        return Status.FAILED_PRECONDITION
    if message_of(event).startswith(_NOT_SERVED):
        return Status.UNIMPLEMENTED
    status = status_in(event)
    known = Status.UNAVAILABLE if status is None else status_of_refusal(status)
    for code in reversed(codes_of(event)):
        known = Status.INVALID_ARGUMENT if code == _INVALID else rpc_status_of_code(code, known)
    return Status.UNAVAILABLE if known is Status.INTERNAL else known
