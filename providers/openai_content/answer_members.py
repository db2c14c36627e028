"""What a ChatCompletion and a Response have in common: citations, log probabilities, usage.

Unverified: that OpenAI's indexes count Unicode code points, and that `end_index` is one past the
last character. Its specification says "the index of the last character"; public code uses it as an
exclusive end. A real answer with citations would verify both.
"""

from dataclasses import dataclass
from typing import Any, Final

from providers.gemini_content.candidate import Candidate, TokenLogprob, usage_metadata
from providers.gemini_content.citations import Segment
from providers.json_api.answer_shape import (
    UnreadableAnswer,
    as_number,
    as_objects,
    as_text,
    count_or_none,
    list_or_empty,
    objects_or_empty,
    present,
    text_or_none,
    untranslatable,
)


def cite_annotations(
    candidate: Candidate, segment: Segment, cited: dict[str, Any], where: str
) -> None:
    """Add the `annotations` of `cited`, whose text is `segment`.

    An annotation without URL and position is left out.
    """
    annotations_path = f"{where}.annotations"
    annotations = list_or_empty(cited.get("annotations"), annotations_path)
    citations = candidate.read_each(annotations, annotations_path, _citation)
    places = [_places(citation) for citation in citations]
    offsets = segment.offsets(place for pair in places for place in pair if place is not None)
    candidate.add_citations(
        _source(citation, offsets, start, end)
        for citation, (start, end) in zip(citations, places, strict=True)
    )


def cited_addresses(annotations: list[Any], where: str) -> list[str | None]:
    """Those of the annotations at `where`, without their places. Raises UnreadableAnswer."""
    citations = [_citation(each, where) for each in as_objects(annotations, where)]
    return [text_or_none(citation.get("url")) for citation in citations]


def _citation(annotation: dict[str, Any], _: str) -> dict[str, Any]:
    """Chat completions nest the members in `url_citation`; the Responses API does not."""
    nested = annotation.get("url_citation")
    return nested if isinstance(nested, dict) else annotation


def _places(citation: dict[str, Any]) -> tuple[int | None, int | None]:
    return count_or_none(citation.get("start_index")), count_or_none(citation.get("end_index"))


def _source(
    citation: dict[str, Any], offsets: dict[int, int], start: int | None, end: int | None
) -> dict[str, Any]:
    uri = text_or_none(citation.get("url"))
    if start is None or end is None or start > end or not {start, end} <= offsets.keys():
        return present({"uri": uri})
    return present({"startIndex": offsets[start], "endIndex": offsets[end], "uri": uri})


MEDIA: Final = ("audio", "images")
"""The members of a message, or of a piece of one, that are no text; `images` is OpenRouter's."""


def media_in_answer(where: str) -> UnreadableAnswer:
    return untranslatable(f"{where} cannot be translated: only text is supported")


def reasoning_of(message: dict[str, Any], where: str) -> str:
    """The thought in a message, or in a piece of one, of a compatible server; "" without one.

    The official API has no such member. vLLM, DeepSeek and OpenRouter have one of these, or both
    with the same text.
    """
    for name in ("reasoning_content", "reasoning"):
        if message.get(name):
            return as_text(message[name], f"{where}.{name}")
    return ""


def add_token_logprobs(candidate: Candidate, tokens: object, where: str) -> None:
    """Add the tokens at `where`, in their order."""
    with candidate.reading():
        chosen = objects_or_empty(tokens, where)
        top = [
            _logprobs(token.get("top_logprobs", []), f"{where}[{i}].top_logprobs")
            for i, token in enumerate(chosen)
        ]
        candidate.add_logprobs(_logprobs(chosen, where), top)


def logprobs_of(tokens: object, where: str) -> dict[str, Any]:
    """The members of a candidate in a stream for the tokens at `where`."""
    if not tokens:
        return {}
    candidate = Candidate(0, "", None)
    add_token_logprobs(candidate, tokens, where)
    rendered = candidate.render()
    return {name: rendered[name] for name in ("logprobsResult", "avgLogprobs") if name in rendered}


def _logprobs(tokens: object, where: str) -> list[TokenLogprob]:
    return [
        {
            "token": as_text(token.get("token"), f"{where}[{i}].token"),
            "logProbability": as_number(token.get("logprob"), f"{where}[{i}].logprob"),
        }
        for i, token in enumerate(as_objects(tokens, where))
    ]


@dataclass(frozen=True, slots=True)
class UsageNames:
    """What an API calls its counts: "prompt" and "completion", or "input" and "output"."""

    sent: str
    written: str
    sent_details: str
    written_details: str


CHAT_USAGE: Final = UsageNames(
    "prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details"
)
RESPONSES_USAGE: Final = UsageNames(
    "input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details"
)


def from_openai_usage(usage: object, names: UsageNames) -> dict[str, Any]:
    """`{"usageMetadata": {...}}`, or `{}` if the answer has no readable counts."""
    if not isinstance(usage, dict):
        return {}
    sent, written = usage.get(names.sent_details), usage.get(names.written_details)
    # Compatible servers without the details write these two beside the counts.
    thoughts = (written if isinstance(written, dict) else usage).get("reasoning_tokens")
    cached = (
        sent.get("cached_tokens")
        if isinstance(sent, dict)
        else usage.get("prompt_cache_hit_tokens", usage.get("cached_tokens"))
    )
    metadata = usage_metadata(
        sent=usage.get(names.sent),
        written=usage.get(names.written),
        thoughts=thoughts,
        cached=cached,
        total=usage.get("total_tokens"),
    )
    return _with_thoughts_apart(metadata, usage.get(names.written)) if thoughts else metadata


def _with_thoughts_apart(metadata: dict[str, Any], written: object) -> dict[str, Any]:
    """For xAI, whose count of what is written leaves the reasoning out, as the total shows."""
    counts = metadata.get("usageMetadata", {})
    sent, total = counts.get("promptTokenCount"), counts.get("totalTokenCount")
    thoughts = counts.get("thoughtsTokenCount")
    if None in (sent, total, thoughts, count_or_none(written)):
        return metadata
    if total == sent + written + thoughts:
        counts["candidatesTokenCount"] = written
    return metadata
