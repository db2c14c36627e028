"""What the events of streamed chat completions and of streamed responses have in common."""

from typing import Any, Final

from providers.gemini_content.candidate import Candidate
from providers.json_api.refusal_body import code_of, codes_of, has_code, message_of, status_in
from providers.openai_content.answer_members import add_token_logprobs
from providers.openai_content.error_codes import NO_CREDIT, rpc_status_of_code
from providers.status import Status, status_of_refusal
from providers.upstream import UpstreamError

# In the results of a batch, it is also the type of a request that was never answered.
_INVALID: Final = "invalid_request_error"


def logprobs_of(tokens: object, where: str) -> dict[str, Any]:
    """The members of a candidate for the tokens at `where`."""
    if not tokens:
        return {}
    candidate = Candidate(0, "", None)
    add_token_logprobs(candidate, tokens, where)
    rendered = candidate.render()
    return {name: rendered[name] for name in ("logprobsResult", "avgLogprobs") if name in rendered}


def error_in_stream(event: dict[str, Any]) -> UpstreamError:
    """The error in an event. Some servers nest it in `error`."""
    code, status = code_of(event), _status_of_error(event)
    message = message_of(event) or code or "the provider gave no reason"
    return UpstreamError(status, message, reason=code or status.name)


def _status_of_error(event: dict[str, Any]) -> Status:
    if has_code(event, NO_CREDIT):
        return Status.FAILED_PRECONDITION
    status = status_in(event)
    known = Status.UNAVAILABLE if status is None else status_of_refusal(status)
    for code in reversed(codes_of(event)):
        known = Status.INVALID_ARGUMENT if code == _INVALID else rpc_status_of_code(code, known)
    return Status.UNAVAILABLE if known is Status.INTERNAL else known
