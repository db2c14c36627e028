"""Converse's response -> Gemini's GenerateContentResponse (translation.md section 3)."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from providers.claude_content.thought_signatures import (
    render_redacted_thinking,
    render_thinking_signature,
)
from providers.gemini_content.candidate import Candidate, render_answer, usage_metadata
from providers.gemini_content.citations import joined
from providers.gemini_content.plain_answer import only_object, plain_answer
from providers.json_api.answer_shape import (
    as_list,
    as_object,
    as_text,
    count_or_none,
    list_or_empty,
    object_or_nothing,
    text_or_none,
    unknown_type,
)

FINISH_REASONS: Final[Mapping[str, str]] = {
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
# A tool that the server ran before the answer; the answer includes its outcome (botocore).
SERVER_TOOL: Final = "server_tool_use"


def plain_converse(answer: dict[str, Any]) -> dict[str, Any] | None:
    """The answer if it is one text; None for everything else."""
    message = object_or_nothing(object_or_nothing(answer.get("output")).get("message"))
    block, native = only_object(message.get("content")), answer.get("stopReason")
    text = block.get("text")
    if (
        not (isinstance(text, str) and isinstance(native, str))
        or native not in FINISH_REASONS
        or len(block) != 1
    ):
        return None
    usage = usage_of(answer.get("usage"))
    return plain_answer(text, FINISH_REASONS[native], 0, usage, None, None)


def from_converse_answer(answer: dict[str, Any], *, thoughts: bool) -> dict[str, Any]:
    """Translate a Converse response; `thoughts` is whether the request asked for them.

    An extra text part names what cannot be read. Converse gives neither the model nor an id of the
    answer, so neither is set. Raises UnreadableAnswer for a body without `content`, or if nothing
    in it can be read.
    """
    output = as_object(answer.get("output"), "output")
    content = as_object(output.get("message"), "output.message").get("content")
    native = text_or_none(answer.get("stopReason"))
    candidate = Candidate(0, FINISH_REASONS.get(native or "", "OTHER"), native)
    where = "output.message.content"
    candidate.read_each(as_list(content, where), where, partial(_add_block, candidate, thoughts))
    return render_answer([candidate], usage_of(answer.get("usage")))


def _add_block(candidate: Candidate, thoughts: bool, block: dict[str, Any], where: str) -> None:
    for member, value in block.items():
        with candidate.reading():
            _add(candidate, thoughts, member, value, where)


def _add(candidate: Candidate, thoughts: bool, member: str, value: object, block: str) -> None:
    where = f"{block}.{member}"
    match member:
        case "text":
            candidate.add_text(as_text(value, where))
        case "toolUse":
            use = as_object(value, where)
            if use.get("type") != SERVER_TOOL:
                candidate.add_call(use.get("name"), use.get("input"), use.get("toolUseId"), where)
        case "reasoningContent":
            _add_thought(candidate, as_object(value, where), thoughts, where)
        case "citationsContent":
            _add_cited(candidate, as_object(value, where), where)
        case "toolResult" | "cachePoint":
            pass
        case other:
            raise unknown_type(other, block)


def _add_thought(
    candidate: Candidate, reasoning: dict[str, Any], thoughts: bool, where: str
) -> None:
    if "redactedContent" in reasoning:
        data = as_text(reasoning["redactedContent"], f"{where}.redactedContent")
        candidate.add_thought("", render_redacted_thinking(data))
    if "reasoningText" not in reasoning:
        return
    reason = as_object(reasoning["reasoningText"], f"{where}.reasoningText")
    text = as_text(reason.get("text"), f"{where}.reasoningText.text")
    if text and not thoughts:
        return  # a signature without its text would be refused in the next request
    signature = text_or_none(reason.get("signature"))
    candidate.add_thought(text, render_thinking_signature(signature) if signature else None)


def _add_cited(candidate: Candidate, cited: dict[str, Any], where: str) -> None:
    pieces = list_or_empty(cited.get("content"), f"{where}.content")
    segments = candidate.read_each(
        pieces,
        f"{where}.content",
        lambda piece, at: candidate.add_text(as_text(piece.get("text"), f"{at}.text")),
    )
    citations = list_or_empty(cited.get("citations"), f"{where}.citations")
    candidate.cite(joined(segments), citations, f"{where}.citations", uri_of)


def uri_of(citation: dict[str, Any]) -> str | None:
    """The URL of a web page, or the client's name for a search result that it sent."""
    web = object_or_nothing(object_or_nothing(citation.get("location")).get("web"))
    return text_or_none(web.get("url")) or text_or_none(citation.get("source"))


def usage_of(counts: object) -> dict[str, Any]:
    if not isinstance(counts, dict):
        return {}
    written = count_or_none(counts.get("outputTokens"))
    total = count_or_none(counts.get("totalTokens"))
    return usage_metadata(
        sent=_sent(counts, written, total),
        written=written,
        cached=counts.get("cacheReadInputTokens"),
        stored=counts.get("cacheWriteInputTokens"),
        total=total,
    )


def _sent(counts: dict[str, Any], written: int | None, total: int | None) -> int | None:
    """inputTokens, plus the cached tokens of the prompt unless they are included.

    The total decides, since AWS does not document whether they are (bedrock.md section 4).
    """
    sent = count_or_none(counts.get("inputTokens"))
    if sent is None or (None not in (written, total) and sent + (written or 0) == total):
        return sent
    cached = [
        count_or_none(counts.get(name)) or 0
        for name in ("cacheReadInputTokens", "cacheWriteInputTokens")
    ]
    return count_or_none(sent + sum(cached))
