"""OpenAI's Response (of /v1/responses) -> Gemini's GenerateContentResponse."""

from typing import Any, Final

from providers.answer_shape import (
    as_object,
    as_objects,
    as_text,
    object_or_empty,
    objects_or_empty,
    present,
    text_or_none,
    unreadable,
)
from providers.errors import FerryError, unimplemented
from providers.openai.candidate_from_openai import Candidate
from providers.openai.usage_from_openai import from_openai_time, from_openai_usage

_INCOMPLETE: Final = {"max_output_tokens": "MAX_TOKENS", "content_filter": "SAFETY"}

# What OpenAI did on its own on the way to the answer, in which its outcome stands.
_STEPS: Final = (
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "mcp_list_tools",
    "mcp_call",
)

_FAILURES: Final = {
    "server_error": "UNAVAILABLE",
    "rate_limit_exceeded": "RESOURCE_EXHAUSTED",
    "vector_store_timeout": "DEADLINE_EXCEEDED",
}


def from_openai_response(body: dict[str, Any]) -> dict[str, Any]:
    """Translate a Response that has ended.

    Raises INTERNAL for a body that is none, UNIMPLEMENTED for output that Gemini's schema has no
    place for, and for a response that failed the status that fits OpenAI's reason.
    """
    candidate = Candidate(0, *_finish(body))
    for output in as_objects(body.get("output"), "output"):
        _add_output(candidate, output)
    return (
        {"candidates": [candidate.render()]}
        | from_openai_usage(body.get("usage"), sent="input", written="output")
        | present(
            {
                "modelVersion": text_or_none(body.get("model")),
                "responseId": text_or_none(body.get("id")),
                "createTime": from_openai_time(body.get("created_at")),
            }
        )
    )


def _finish(body: dict[str, Any]) -> tuple[str, str | None]:
    match body.get("status"):
        case "completed":
            return "STOP", None
        case "incomplete":
            details = object_or_empty(body.get("incomplete_details"), "incomplete_details")
            reason = text_or_none(details.get("reason"))
            if reason in _INCOMPLETE:
                return _INCOMPLETE[reason], None
            return "OTHER", reason
        case "failed":
            raise _failure(as_object(body.get("error"), "the error of a failed response"))
        case _:
            raise unreadable("the response has not ended")


def _failure(error: dict[str, Any]) -> FerryError:
    code = text_or_none(error.get("code")) or ""
    message = text_or_none(error.get("message")) or "OpenAI failed to answer"
    # The other codes say what is wrong with the prompt or one of its images.
    return FerryError(_FAILURES.get(code, "INVALID_ARGUMENT"), message)


def _add_output(candidate: Candidate, output: dict[str, Any]) -> None:
    match output.get("type"):
        case "message":
            for content in as_objects(output.get("content"), "a message's content"):
                _add_content(candidate, content)
        case "reasoning":
            for summary in objects_or_empty(output.get("summary"), "a reasoning summary"):
                candidate.think(as_text(summary.get("text"), "a reasoning summary's text"))
        case "function_call":
            candidate.call(output, text_or_none(output.get("call_id")))
        case step if step in _STEPS:
            pass
        case other:
            raise unimplemented(f"OpenAI's output of type {_named(other)} is not translated")


def _add_content(candidate: Candidate, content: dict[str, Any]) -> None:
    match content.get("type"):
        case "output_text":
            text = as_text(content.get("text"), "an output text")
            candidate.say(text, content.get("annotations"))
            candidate.weigh(content.get("logprobs"))
        case "refusal":
            candidate.refuse(as_text(content.get("refusal"), "a refusal"))
        case other:
            raise unimplemented(f"OpenAI's content of type {_named(other)} is not translated")


def _named(kind: object) -> str:
    return kind if isinstance(kind, str) else "unknown"
