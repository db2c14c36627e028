"""Anthropic's Message -> Gemini's GenerateContentResponse (translation.md section 3)."""

from functools import partial
from typing import Any, Final

from providers.claude_content.error_types import reported_error
from providers.claude_content.thought_signatures import (
    render_redacted_thinking,
    render_thinking_signature,
)
from providers.gemini_content.candidate import Candidate, render_answer, usage_metadata
from providers.gemini_content.plain_answer import NOTHING, only_object, plain_answer
from providers.json_api.answer_shape import (
    as_list,
    as_text,
    count_or_none,
    list_or_empty,
    object_or_nothing,
    text_or_none,
    unknown_type,
)

FINISH_REASONS: Final = {
    "end_turn": "STOP",
    "stop_sequence": "STOP",
    "tool_use": "STOP",
    "max_tokens": "MAX_TOKENS",
    "model_context_window_exceeded": "MAX_TOKENS",
    "refusal": "SAFETY",
}
COUNTS: Final = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "output_tokens_details",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
    }
)
"""The members of a usage that `usage_of` reads."""
_NORMAL_ENDS: Final = FINISH_REASONS.keys() - {"refusal"}

# What Anthropic's own tools did before the answer. The answer's text has the outcome.
_SERVER_TOOL_OUTPUTS: Final = (
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


def plain_message(message: dict[str, Any]) -> dict[str, Any] | None:
    """The answer if it is one text without citations; None for everything else."""
    block, native = only_object(message.get("content")), message.get("stop_reason")
    text = block.get("text")
    if (
        not (isinstance(text, str) and isinstance(native, str))
        or native not in _NORMAL_ENDS
        or block.get("type") != "text"
        or block.get("citations") not in NOTHING
    ):
        return None
    usage = usage_of(message.get("usage"))
    finish_reason = FINISH_REASONS[native]
    return plain_answer(text, finish_reason, 0, usage, message.get("model"), message.get("id"))


def from_anthropic_message(message: dict[str, Any]) -> dict[str, Any]:
    """Translate a Message. Members that cannot be read are named in an extra text part.

    Thinking becomes a thought if it has text. It has none if the request did not ask for thoughts
    (`to_anthropic_thinking`); then only its signature is kept, for the next request. Raises
    UnreadableAnswer for a body without `content`, or if nothing in it can be read, and
    UpstreamError for an error in its place.
    """
    if message.get("type") == "error":
        raise reported_error(message)
    native = text_or_none(message.get("stop_reason"))
    candidate = Candidate(0, FINISH_REASONS.get(native or "", "OTHER"), native)
    with candidate.reading():
        _read_content(candidate, message.get("content"))
    if native == "refusal":
        explain_refusal(candidate, object_or_nothing(message.get("stop_details")))
    usage = usage_of(message.get("usage"))
    return render_answer([candidate], usage, message.get("model"), message.get("id"))


def _read_content(candidate: Candidate, content: object) -> None:
    """Anthropic writes a list of blocks; some compatible servers write a string."""
    if isinstance(content, str):
        candidate.add_text(content)
    else:
        candidate.read_each(as_list(content, "content"), "content", partial(_add, candidate))


def _add(candidate: Candidate, block: dict[str, Any], where: str) -> None:
    match block.get("type"):
        case "text":
            segment = candidate.add_text(as_text(block.get("text"), f"{where}.text"))
            citations = list_or_empty(block.get("citations"), f"{where}.citations")
            candidate.cite(segment, citations, f"{where}.citations", uri_of)
        case "tool_use":
            candidate.add_call(block.get("name"), block.get("input"), block.get("id"), where)
        case "thinking":
            text = as_text(block.get("thinking"), f"{where}.thinking")
            signature = text_or_none(block.get("signature"))
            candidate.add_thought(text, render_thinking_signature(signature) if signature else None)
        case "redacted_thinking":
            data = as_text(block.get("data"), f"{where}.data")
            candidate.add_thought("", render_redacted_thinking(data))
        case step if step in _SERVER_TOOL_OUTPUTS:
            pass
        case other:
            raise unknown_type(other, where)


def uri_of(citation: dict[str, Any]) -> str | None:
    """The URL of a web page, or the source of a search result that the client gave."""
    return text_or_none(citation.get("url")) or text_or_none(citation.get("source"))


def explain_refusal(candidate: Candidate, details: dict[str, Any]) -> None:
    category, why = text_or_none(details.get("category")), text_or_none(details.get("explanation"))
    if why or category:
        named = f" (category {category!r})" if category else ""
        reason = f" The provider's explanation: {why}" if why else ""
        candidate.explain_end(why or category or "", f"The model refused to answer{named}.{reason}")


def usage_of(counts: object) -> dict[str, Any]:
    if not isinstance(counts, dict):
        return {}
    details = counts.get("output_tokens_details")
    cached = count_or_none(counts.get("cache_read_input_tokens"))
    sent = count_or_none(counts.get("input_tokens"))
    created = count_or_none(counts.get("cache_creation_input_tokens"))
    if sent is not None:
        sent = count_or_none(sent + (created or 0) + (cached or 0))
    written = count_or_none(counts.get("output_tokens"))
    return usage_metadata(
        sent=sent,
        written=written,
        thoughts=details.get("thinking_tokens") if isinstance(details, dict) else None,
        cached=cached,
        stored=created,
        # None if a count is unknown, or if the sum is too large for Gemini's integer.
        total=None if sent is None or written is None else count_or_none(sent + written),
    )
