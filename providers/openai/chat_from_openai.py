"""OpenAI's ChatCompletion -> Gemini's GenerateContentResponse (translation.md section 3)."""

from typing import Any, Final

from providers.answer_shape import (
    as_object,
    as_objects,
    as_text,
    count_or_none,
    objects_or_empty,
    present,
    text_or_none,
)
from providers.errors import unimplemented
from providers.openai.candidate_from_openai import Candidate
from providers.openai.usage_from_openai import from_openai_time, from_openai_usage

_FINISH_REASONS: Final = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "function_call": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}


def from_openai_chat(body: dict[str, Any]) -> dict[str, Any]:
    """Translate a ChatCompletion.

    Raises INTERNAL for a body that is none, UNIMPLEMENTED for an answer in audio or with calls of
    custom tools, which Gemini's schema has no place for.
    """
    choices = as_objects(body.get("choices"), "choices")
    return (
        {"candidates": [_candidate(choice, place) for place, choice in enumerate(choices)]}
        | from_openai_usage(body.get("usage"), sent="prompt", written="completion")
        | present(
            {
                "modelVersion": text_or_none(body.get("model")),
                "responseId": text_or_none(body.get("id")),
                "createTime": from_openai_time(body.get("created")),
            }
        )
    )


def _candidate(choice: dict[str, Any], place: int) -> dict[str, Any]:
    message = as_object(choice.get("message"), "a choice's message")
    index = count_or_none(choice.get("index"))
    candidate = Candidate(place if index is None else index, *_finish(choice.get("finish_reason")))
    if message.get("audio") is not None:
        raise unimplemented("OpenAI answered in audio, which is not translated")
    if message.get("content"):
        text = as_text(message["content"], "a message's content")
        candidate.say(text, message.get("annotations"))
    if message.get("refusal"):
        candidate.refuse(as_text(message["refusal"], "a message's refusal"))
    _call_functions(candidate, message)
    logprobs = choice.get("logprobs")
    candidate.weigh(logprobs.get("content") if isinstance(logprobs, dict) else None)
    return candidate.render()


def _call_functions(candidate: Candidate, message: dict[str, Any]) -> None:
    for call in objects_or_empty(message.get("tool_calls"), "tool_calls"):
        if call.get("type", "function") != "function":
            raise unimplemented("OpenAI called a custom tool, which is not translated")
        function = as_object(call.get("function"), "a function call")
        candidate.call(function, text_or_none(call.get("id")))
    if message.get("function_call") is not None:  # what tool_calls was before it had ids
        candidate.call(as_object(message["function_call"], "a function call"), None)


def _finish(native: object) -> tuple[str, str | None]:
    if isinstance(native, str) and native in _FINISH_REASONS:
        return _FINISH_REASONS[native], None
    return "OTHER", text_or_none(native)
