"""OpenAI's token usage and timestamps -> Gemini's usageMetadata and createTime."""

from datetime import UTC, datetime
from typing import Any

from providers.answer_shape import count_or_none, object_or_empty, present

_YEAR_10000 = 253_402_300_800


def from_openai_usage(usage: object, *, sent: str, written: str) -> dict[str, Any]:
    """`{"usageMetadata": {...}}`, or `{}` if OpenAI counted nothing.

    `sent` and `written` are the words by which an API names its counts: "prompt" and "completion",
    or "input" and "output".
    """
    counts = object_or_empty(usage, "usage")
    sent_details = object_or_empty(counts.get(f"{sent}_tokens_details"), "usage details")
    written_details = object_or_empty(counts.get(f"{written}_tokens_details"), "usage details")
    thoughts = count_or_none(written_details.get("reasoning_tokens"))
    metadata = present(
        {
            "promptTokenCount": count_or_none(counts.get(f"{sent}_tokens")),
            "candidatesTokenCount": _without(
                count_or_none(counts.get(f"{written}_tokens")), thoughts
            ),
            "thoughtsTokenCount": thoughts,
            "cachedContentTokenCount": count_or_none(sent_details.get("cached_tokens")),
            "totalTokenCount": count_or_none(counts.get("total_tokens")),
        }
    )
    return {"usageMetadata": metadata} if metadata else {}


def from_openai_time(seconds: object) -> str | None:
    """RFC 3339 of a Unix time, or None for what is none."""
    whole = int(seconds) if isinstance(seconds, float) and seconds.is_integer() else seconds
    count = count_or_none(whole)
    if count is None or count >= _YEAR_10000:
        return None
    return datetime.fromtimestamp(count, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _without(written: int | None, thoughts: int | None) -> int | None:
    """Gemini counts thoughts beside the answer's tokens, OpenAI among them."""
    return None if written is None else max(written - (thoughts or 0), 0)
