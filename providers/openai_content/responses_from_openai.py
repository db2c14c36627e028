"""OpenAI's Response (of /v1/responses) -> Gemini's GenerateContentResponse."""

from functools import partial
from typing import Any, Final

from providers.gemini_content.candidate import Candidate, render_answer
from providers.json_api.answer_shape import (
    as_list,
    as_object,
    as_text,
    list_or_empty,
    object_or_nothing,
    text_or_none,
    unknown_type,
    unreadable,
)
from providers.openai_content.answer_members import (
    RESPONSES_USAGE,
    add_token_logprobs,
    cite_annotations,
    from_openai_usage,
)
from providers.openai_content.error_codes import NO_CREDIT
from providers.openai_content.failures import refuse_error
from providers.openai_content.reasoning_signatures import reasoning_signature
from providers.status import Status
from providers.upstream import UpstreamError

_INCOMPLETE: Final = {"max_output_tokens": "MAX_TOKENS", "content_filter": "SAFETY"}

# What OpenAI's own tools did before the answer. The answer's text has the outcome.
SERVER_TOOL_OUTPUTS: Final = (
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "mcp_list_tools",
    "mcp_call",
)

_FAILURES: Final = {
    **dict.fromkeys(NO_CREDIT, Status.FAILED_PRECONDITION),
    "server_error": Status.UNAVAILABLE,
    "rate_limit_exceeded": Status.RESOURCE_EXHAUSTED,
    "vector_store_timeout": Status.DEADLINE_EXCEEDED,
}


def from_openai_response(body: dict[str, Any], *, thoughts: bool = False) -> dict[str, Any]:
    """Translate a Response. Members that cannot be read are named in an extra text part.

    `thoughts`: whether the request asked for them. Without that OpenAI writes none, but some
    servers, such as vLLM, write the model's own text of them into every answer.
    Raises UnreadableAnswer for a body that is not a Response, or if nothing in it can be read. For
    a failed response, raises UpstreamError with the status that fits OpenAI's reason.
    """
    if "status" not in body:
        refuse_error(body, "output")
    candidate = Candidate(0, *finish_of(body))
    outputs = as_list(body.get("output"), "output")
    candidate.read_each(outputs, "output", partial(_add_output, candidate, thoughts))
    usage = from_openai_usage(body.get("usage"), RESPONSES_USAGE)
    return render_answer([candidate], usage, body.get("model"), body.get("id"))


def finish_of(body: dict[str, Any]) -> tuple[str, str | None]:
    """The finish reason, and OpenAI's own if it gave one. Raises UpstreamError as above."""
    match body.get("status"):
        case "completed":
            return "STOP", None
        case "incomplete":
            reason = text_or_none(object_or_nothing(body.get("incomplete_details")).get("reason"))
            return _INCOMPLETE.get(reason or "", "OTHER"), reason
        case "failed":
            raise _failure(as_object(body.get("error"), "error"))
        case other if body.get("output"):
            return "OTHER", text_or_none(other)
        case _:
            raise unreadable("the response has not ended")


def _failure(error: dict[str, Any]) -> UpstreamError:
    code = text_or_none(error.get("code")) or ""
    message = text_or_none(error.get("message")) or "OpenAI failed to answer"
    # The other codes are about the prompt or one of its images.
    status = _FAILURES.get(code, Status.INVALID_ARGUMENT)
    return UpstreamError(status, message, reason=code or status.name)


def _add_output(candidate: Candidate, thoughts: bool, output: dict[str, Any], where: str) -> None:
    match output.get("type"):
        case "message":
            _add_message(candidate, output.get("content"), f"{where}.content")
        case "reasoning":
            _add_reasoning(candidate, thoughts, output, where)
        case "function_call":
            candidate.add_call(
                output.get("name"), output.get("arguments"), output.get("call_id"), where
            )
        case step if step in SERVER_TOOL_OUTPUTS:
            pass
        case other:
            raise unknown_type(other, where)


def _add_message(candidate: Candidate, content: object, where: str) -> None:
    """OpenAI writes a list of parts; some compatible servers write a string."""
    if isinstance(content, str):
        candidate.add_text(content)
    else:
        candidate.read_each(as_list(content, where), where, partial(_add_content, candidate))


def _add_reasoning(
    candidate: Candidate, thoughts: bool, reasoning: dict[str, Any], where: str
) -> None:
    """The signature is on the last text, or without one on the next part."""
    texts: list[str] = []
    for member in ("summary", "content") if thoughts else ("summary",):
        found = list_or_empty(reasoning.get(member), f"{where}.{member}")
        texts += candidate.read_each(found, f"{where}.{member}", _text)
    texts = texts or [""]
    for text in texts[:-1]:
        candidate.add_thought(text)
    candidate.add_thought(texts[-1], reasoning_signature(reasoning))


def _text(summary: dict[str, Any], where: str) -> str:
    return as_text(summary.get("text"), f"{where}.text")


def _add_content(candidate: Candidate, content: dict[str, Any], where: str) -> None:
    match content.get("type"):
        case "output_text":
            segment = candidate.add_text(as_text(content.get("text"), f"{where}.text"))
            cite_annotations(candidate, segment, content, where)
            add_token_logprobs(candidate, content.get("logprobs"), f"{where}.logprobs")
        case "refusal":
            candidate.add_refusal(as_text(content.get("refusal"), f"{where}.refusal"))
        case other:
            raise unknown_type(other, where)
