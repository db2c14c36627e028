"""The error of an event in a stream, or of an answer whose HTTP status is 200."""

from typing import Any

from providers.claude_content.error_types import NO_CREDIT, RPC_STATUS_OF_TYPE
from providers.json_api.refusal_body import code_of, has_code, message_of
from providers.status import Status
from providers.upstream import UpstreamError


def reported_error(event: dict[str, Any]) -> UpstreamError:
    kind = code_of(event)
    message = message_of(event) or kind or "the provider gave no reason"
    lasts = has_code(event, NO_CREDIT)
    known = RPC_STATUS_OF_TYPE.get(kind, Status.UNAVAILABLE)
    status = Status.FAILED_PRECONDITION if lasts else known
    return UpstreamError(status, message, reason=kind or status.name)
