"""Anthropic's Message -> Gemini's GenerateContentResponse (translation.md section 3)."""

from collections.abc import Iterator
from typing import Any, Final

from providers.answer_shape import (
    as_object,
    as_objects,
    as_text,
    count_or_none,
    object_or_empty,
    objects_or_empty,
    present,
    text_or_none,
    unreadable,
)
from providers.claude_content.thought_signatures import (
    render_redacted_thinking,
    render_thinking_signature,
)
from providers.errors import unimplemented
from providers.gemini_content.nesting import nested_too_deep

_FINISH_REASONS: Final = {
    "end_turn": "STOP",
    "stop_sequence": "STOP",
    "tool_use": "STOP",
    "max_tokens": "MAX_TOKENS",
    "model_context_window_exceeded": "MAX_TOKENS",
    "refusal": "SAFETY",
}

# What Anthropic did on its own on the way to the answer, in which its outcome stands.
_STEPS: Final = (
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "mcp_tool_use",
    "mcp_tool_result",
)

Part = dict[str, Any]


def from_anthropic_message(message: dict[str, Any]) -> dict[str, Any]:
    """Translate a Message.

    Thinking becomes a thought where it has text. It has none where the request did not ask for
    thoughts (`to_anthropic_thinking`); then only its signature remains, for the next request.
    Raises INTERNAL for a body that is no Message, UNIMPLEMENTED for content that Gemini's schema
    has no place for.
    """
    blocks = as_objects(message.get("content"), "content")
    candidate: dict[str, Any] = {
        "content": {"role": "model", "parts": [p for block in blocks for p in _parts(block)]},
        "index": 0,
    }
    candidate |= _finish(message)
    citations = [citation for block in blocks for citation in _citations(block)]
    if citations:
        candidate["citationMetadata"] = {"citations": citations}
    named = {
        "modelVersion": text_or_none(message.get("model")),
        "responseId": text_or_none(message.get("id")),
    }
    return {"candidates": [candidate]} | _usage(message.get("usage")) | present(named)


def _parts(block: dict[str, Any]) -> Iterator[Part]:
    match block.get("type"):
        case "text":
            yield {"text": as_text(block.get("text"), "a text")}
        case "tool_use":
            yield {"functionCall": _call(block)}
        case "thinking":
            yield from _thought(block)
        case "redacted_thinking":
            data = as_text(block.get("data"), "redacted thinking")
            yield {"thoughtSignature": render_redacted_thinking(data)}
        case step if step in _STEPS:
            pass
        case other:
            named = other if isinstance(other, str) else "unknown"
            raise unimplemented(f"Anthropic's content of type {named} is not translated")


def _call(block: dict[str, Any]) -> dict[str, Any]:
    args = as_object(block.get("input"), "a tool's input")
    if nested_too_deep(args):
        raise unreadable("a tool's input is nested too deeply")
    name = as_text(block.get("name"), "a tool's name")
    return present({"id": text_or_none(block.get("id")), "name": name, "args": args})


def _thought(block: dict[str, Any]) -> Iterator[Part]:
    text = as_text(block.get("thinking"), "thinking")
    signature = text_or_none(block.get("signature"))
    part: Part = {"text": text, "thought": True} if text else {}
    if signature:
        part["thoughtSignature"] = render_thinking_signature(signature)
    if part:
        yield part


def _citations(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Sources on the web; Gemini has no way to point into a document of the prompt's."""
    if block.get("type") != "text":
        return
    for citation in objects_or_empty(block.get("citations"), "citations"):
        uri = text_or_none(citation.get("url"))
        if uri is not None:
            yield present({"uri": uri, "title": text_or_none(citation.get("title"))})


def _finish(message: dict[str, Any]) -> dict[str, Any]:
    reason = message.get("stop_reason")
    if not isinstance(reason, str) or reason not in _FINISH_REASONS:
        return present({"finishReason": "OTHER", "finishMessage": text_or_none(reason)})
    details = message.get("stop_details")
    why = details.get("explanation") if isinstance(details, dict) else None
    return present({"finishReason": _FINISH_REASONS[reason], "finishMessage": text_or_none(why)})


def _usage(usage: object) -> dict[str, Any]:
    """`{"usageMetadata": {...}}`, or `{}` if Anthropic counted nothing."""
    counts = object_or_empty(usage, "usage")
    details = object_or_empty(counts.get("output_tokens_details"), "usage details")
    cached = count_or_none(counts.get("cache_read_input_tokens"))
    sent = _sum(
        count_or_none(counts.get("input_tokens")),
        count_or_none(counts.get("cache_creation_input_tokens")) or 0,
        cached or 0,
    )
    written = count_or_none(counts.get("output_tokens"))
    thoughts = count_or_none(details.get("thinking_tokens"))
    metadata = present(
        {
            "promptTokenCount": sent,
            "candidatesTokenCount": None if written is None else max(written - (thoughts or 0), 0),
            "thoughtsTokenCount": thoughts,
            "cachedContentTokenCount": cached,
            "totalTokenCount": _sum(sent, written),
        }
    )
    return {"usageMetadata": metadata} if metadata else {}


def _sum(*counts: int | None) -> int | None:
    """None if a count is unknown, or if they come to more than an integer of Gemini's holds."""
    known = [count for count in counts if count is not None]
    return count_or_none(sum(known)) if len(known) == len(counts) else None
