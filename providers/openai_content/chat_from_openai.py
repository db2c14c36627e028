"""OpenAI's ChatCompletion -> Gemini's GenerateContentResponse (translation.md section 3)."""

from functools import partial
from typing import Any, Final

from providers.gemini_content.candidate import Candidate, render_answer
from providers.gemini_content.citations import Segment, joined
from providers.gemini_content.plain_answer import NOTHING, only_object, plain_answer
from providers.json_api.answer_shape import (
    as_list,
    as_object,
    as_text,
    count_or_none,
    list_or_empty,
    object_or_nothing,
    text_or_none,
    unknown_type,
    unreadable,
)
from providers.openai_content.answer_members import (
    CHAT_USAGE,
    MEDIA,
    add_token_logprobs,
    cite_annotations,
    from_openai_usage,
    media_in_answer,
    reasoning_of,
)
from providers.openai_content.failures import failure_of, refuse_error
from providers.openai_content.server_reasoning import kept_members, kept_signature

FINISH_REASONS: Final = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "function_call": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    # Of compatible servers, and of those that pass on the words of other APIs (openai.md section
    # 10).
    **dict.fromkeys(("end", "end_turn", "eos", "eos_token", "stop_sequence", "tool_use"), "STOP"),
    **dict.fromkeys(("incomplete", "max_tokens", "model_length"), "MAX_TOKENS"),
    "model_context_window_exceeded": "MAX_TOKENS",
    **dict.fromkeys(("safety", "sensitive"), "SAFETY"),
}


def plain_chat(body: dict[str, Any]) -> dict[str, Any] | None:
    """The answer if it is one choice with one text; None for everything else."""
    choice = only_object(body.get("choices"))
    message, native = choice.get("message"), choice.get("finish_reason")
    if not (isinstance(message, dict) and isinstance(native, str) and native in FINISH_REASONS):
        return None
    text, index = message.get("content"), count_or_none(choice.get("index"))
    if (
        not (isinstance(text, str) and text)
        or index is None
        or choice.get("logprobs") is not None
        or message.get("refusal")
        or message.get("annotations") not in NOTHING
        or message.get("tool_calls") not in NOTHING
        or message.get("function_call") is not None
        or message.get("audio") is not None
        or message.get("images") not in NOTHING
    ):
        return None
    usage = from_openai_usage(body.get("usage"), CHAT_USAGE)
    finish_reason = FINISH_REASONS[native]
    return plain_answer(text, finish_reason, index, usage, body.get("model"), body.get("id"))


def from_openai_chat(body: dict[str, Any], *, thoughts: bool | None = None) -> dict[str, Any]:
    """Translate a ChatCompletion. Members that cannot be read are named in an extra text part.

    `thoughts`: whether the request asked for them; None if that is not known, as in the results of
    a batch, which show those in the content. Only compatible servers and Mistral write any.
    Raises UnreadableAnswer for a body without `choices`, or if nothing in it can be read, and
    UpstreamError if the provider says that it failed.
    """
    refuse_error(body, "choices")
    choices = as_list(body.get("choices"), "choices")
    if not choices:
        raise unreadable("choices is empty")
    failures = [failure_of(object_or_nothing(choice)) for choice in choices]
    if failures[0] is not None and None not in failures:
        raise failures[0]
    candidates = [_candidate(choice, place, thoughts) for place, choice in enumerate(choices)]
    usage = from_openai_usage(body.get("usage"), CHAT_USAGE)
    return render_answer(candidates, usage, body.get("model"), body.get("id"))


def _candidate(entry: object, place: int, thoughts: bool | None) -> Candidate:
    choice, where = object_or_nothing(entry), f"choices[{place}]"
    index = count_or_none(choice.get("index"))
    native = text_or_none(choice.get("finish_reason")) or None
    candidate = Candidate(place if index is None else index, finish_reason_of(native), native)
    with candidate.reading():
        as_object(entry, where)
        message = _message(choice, f"{where}.message")
        if thoughts is False:
            candidate.leave_out_thoughts()
        if thoughts:
            with candidate.reading():
                candidate.add_thought(reasoning_of(message, f"{where}.message"))
        _read_message(candidate, message, f"{where}.message")
    logprobs = object_or_nothing(choice.get("logprobs"))
    add_token_logprobs(candidate, logprobs.get("content"), f"{where}.logprobs.content")
    return candidate


def finish_reason_of(native: str | None) -> str:
    """Some servers write the same words in capitals."""
    return FINISH_REASONS.get((native or "").lower(), "OTHER")


def _message(choice: dict[str, Any], where: str) -> dict[str, Any]:
    """Google leaves it out of a chat completion that ended without a text."""
    if choice.get("message") is None and choice.get("finish_reason") and "text" not in choice:
        return {}
    return as_object(choice.get("message"), where)


def _read_message(candidate: Candidate, message: dict[str, Any], where: str) -> None:
    if message.get("content"):
        with candidate.reading():
            segment = _say(candidate, message["content"], f"{where}.content")
            cite_annotations(candidate, segment, message, where)
    if message.get("refusal"):
        with candidate.reading():
            candidate.add_refusal(as_text(message["refusal"], f"{where}.refusal"))
    with candidate.reading():
        calls = list_or_empty(message.get("tool_calls"), f"{where}.tool_calls")
        kept = [kept_members(message)] if calls else []
        candidate.read_each(calls, f"{where}.tool_calls", partial(_call, candidate, kept))
    if message.get("function_call") is not None:  # the older form of tool_calls, without ids
        with candidate.reading():
            _call_function(candidate, message["function_call"], None, f"{where}.function_call")
    for name in MEDIA:
        if message.get(name) not in NOTHING:
            with candidate.reading():
                raise media_in_answer(f"{where}.{name}")


def _say(candidate: Candidate, content: object, where: str) -> Segment:
    """OpenAI writes a string; some compatible servers write a list of parts."""
    if isinstance(content, str):
        return candidate.add_text(content)
    segments: list[Segment] = []
    for index, part in enumerate(as_list(content, where)):
        with candidate.reading():
            segments += _say_part(candidate, part, f"{where}[{index}]")
    return joined(segments)


def _say_part(candidate: Candidate, part: object, where: str) -> list[Segment]:
    if isinstance(part, str):
        return [candidate.add_text(part)]
    fields = as_object(part, where)
    match fields.get("type"):
        case "text" | "output_text" | None:
            return [candidate.add_text(_text(fields, where))]
        case "refusal":
            candidate.add_refusal(as_text(fields.get("refusal"), f"{where}.refusal"))
        case "thinking":
            _think(candidate, fields.get("thinking"), f"{where}.thinking")
        case other:
            raise unknown_type(other, where)
    return []


def _think(candidate: Candidate, thinking: object, where: str) -> None:
    """Add a thought that is a string, or a list of text parts."""
    if isinstance(thinking, str):
        candidate.add_thought(thinking)
        return
    texts = candidate.read_each(as_list(thinking, where), where, _text)
    candidate.add_thought("".join(texts))


def _text(part: dict[str, Any], where: str) -> str:
    return as_text(part.get("text"), f"{where}.text")


def _call(
    candidate: Candidate, kept: list[dict[str, Any]], call: dict[str, Any], where: str
) -> None:
    """`kept` has the members of the message until the first call takes them."""
    if call.get("type") not in (None, "", "function"):
        raise unknown_type(call["type"], where)
    signature = kept_signature(kept.pop() if kept else {}, call)
    if signature is not None:
        candidate.sign(signature)
    _call_function(candidate, call.get("function"), call.get("id"), f"{where}.function")


def _call_function(candidate: Candidate, entry: object, call_id: object, where: str) -> None:
    function = as_object(entry, where)
    candidate.add_call(function.get("name"), function.get("arguments"), call_id, where)
