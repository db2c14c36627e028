"""OpenAI's token usage -> Gemini's usageMetadata."""

from typing import Any

from providers.json_api.answer_shape import count_or_none, object_or_nothing, present


def from_openai_usage(usage: object, *, sent: str, written: str) -> dict[str, Any]:
    """`{"usageMetadata": {...}}`, or `{}` if the answer has no readable counts.

    `sent` and `written` are what the API calls its counts: "prompt" and "completion", or "input"
    and "output".
    """
    counts = object_or_nothing(usage)
    sent_details = object_or_nothing(counts.get(f"{sent}_tokens_details"))
    written_details = object_or_nothing(counts.get(f"{written}_tokens_details"))
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


def _without(written: int | None, thoughts: int | None) -> int | None:
    """OpenAI's count of output tokens includes thoughts; Gemini's does not."""
    return None if written is None else max(written - (thoughts or 0), 0)
