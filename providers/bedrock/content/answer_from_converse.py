"""Converse's response -> Gemini's GenerateContentResponse (translation.md section 3)."""

from collections.abc import Iterator, Mapping
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

_FINISH_REASONS: Final[Mapping[str, str]] = {
    "end_turn": "STOP",
    "stop_sequence": "STOP",
    "tool_use": "STOP",
    "max_tokens": "MAX_TOKENS",
    "model_context_window_exceeded": "MAX_TOKENS",
    "content_filtered": "SAFETY",
    "guardrail_intervened": "SAFETY",
    "malformed_tool_use": "MALFORMED_FUNCTION_CALL",
    "malformed_model_output": "MALFORMED_RESPONSE",
}
# What a model had the server do on the way to the answer, in which its outcome stands [BC].
_SERVER_TOOL: Final = "server_tool_use"

Part = dict[str, Any]


def from_converse_answer(answer: dict[str, Any], *, thoughts: bool) -> dict[str, Any]:
    """Translate a Converse response; `thoughts` is whether the request asked for them.

    Converse names neither the model nor the answer, so neither is named here. Raises INTERNAL for
    a body that is no such response, UNIMPLEMENTED for content that Gemini's schema has no place
    for.
    """
    message = as_object(as_object(answer.get("output"), "output").get("message"), "message")
    blocks = as_objects(message.get("content"), "content")
    parts = [part for block in blocks for part in _parts(block, thoughts)]
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
    candidate |= _finish(answer.get("stopReason"))
    citations = [citation for block in blocks for citation in _citations(block)]
    if citations:
        candidate["citationMetadata"] = {"citations": citations}
    return {"candidates": [candidate]} | _usage(answer.get("usage"))


def _parts(block: dict[str, Any], thoughts: bool) -> Iterator[Part]:
    for member, value in block.items():
        match member:
            case "text":
                yield {"text": as_text(value, "a text")}
            case "toolUse":
                yield from _call(as_object(value, "a tool's use"))
            case "reasoningContent":
                yield from _thought(as_object(value, "reasoning"), thoughts)
            case "citationsContent":
                yield from _cited(as_object(value, "cited content"))
            case "toolResult" | "cachePoint":
                pass
            case other:
                raise unimplemented(f"Converse's content {other[:80]} is not translated")


def _call(use: dict[str, Any]) -> Iterator[Part]:
    if use.get("type") == _SERVER_TOOL:
        return
    args = as_object(use.get("input"), "a tool's input")
    if nested_too_deep(args):
        raise unreadable("a tool's input is nested too deeply")
    name = as_text(use.get("name"), "a tool's name")
    call = present({"id": text_or_none(use.get("toolUseId")), "name": name, "args": args})
    yield {"functionCall": call}


def _thought(reasoning: dict[str, Any], thoughts: bool) -> Iterator[Part]:
    if "redactedContent" in reasoning:
        data = as_text(reasoning["redactedContent"], "redacted reasoning")
        yield {"thoughtSignature": render_redacted_thinking(data)}
    if "reasoningText" not in reasoning:
        return
    said = as_object(reasoning["reasoningText"], "a reasoning text")
    text = as_text(said.get("text"), "a reasoning's text")
    if text and not thoughts:
        return  # a signature without the text that it signs would be refused in the next request
    part: Part = {"text": text, "thought": True} if text else {}
    signature = text_or_none(said.get("signature"))
    if signature:
        part["thoughtSignature"] = render_thinking_signature(signature)
    if part:
        yield part


def _cited(cited: dict[str, Any]) -> Iterator[Part]:
    for generated in objects_or_empty(cited.get("content"), "cited content"):
        yield {"text": as_text(generated.get("text"), "a cited text")}


def _citations(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Sources on the web; Gemini has no way to point into a document of the prompt's."""
    cited = object_or_empty(block.get("citationsContent"), "cited content")
    for citation in objects_or_empty(cited.get("citations"), "citations"):
        location = object_or_empty(citation.get("location"), "a location")
        uri = text_or_none(object_or_empty(location.get("web"), "a web location").get("url"))
        if uri is not None:
            yield present({"uri": uri, "title": text_or_none(citation.get("title"))})


def _finish(reason: object) -> dict[str, Any]:
    if not isinstance(reason, str) or reason not in _FINISH_REASONS:
        return present({"finishReason": "OTHER", "finishMessage": text_or_none(reason)})
    return {"finishReason": _FINISH_REASONS[reason]}


def _usage(usage: object) -> dict[str, Any]:
    """`{"usageMetadata": {...}}`, or `{}` if Bedrock counted nothing."""
    counts = object_or_empty(usage, "usage")
    written = count_or_none(counts.get("outputTokens"))
    total = count_or_none(counts.get("totalTokens"))
    metadata = present(
        {
            "promptTokenCount": _sent(counts, written, total),
            "candidatesTokenCount": written,
            "cachedContentTokenCount": count_or_none(counts.get("cacheReadInputTokens")),
            "totalTokenCount": total,
        }
    )
    return {"usageMetadata": metadata} if metadata else {}


def _sent(counts: dict[str, Any], written: int | None, total: int | None) -> int | None:
    """inputTokens, and what the cache had of the prompt.

    That inputTokens leaves the cache out is [MEM: translation.md section 3], so the total decides.
    """
    sent = count_or_none(counts.get("inputTokens"))
    if sent is None or (None not in (written, total) and sent + (written or 0) == total):
        return sent
    cached = [
        count_or_none(counts.get(name)) or 0
        for name in ("cacheReadInputTokens", "cacheWriteInputTokens")
    ]
    return count_or_none(sent + sum(cached))
