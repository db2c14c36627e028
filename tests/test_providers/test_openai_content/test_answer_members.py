from typing import Any

import pytest

from providers.openai_content.answer_members import CHAT_USAGE, from_openai_usage


@pytest.mark.parametrize(
    ("usage", "metadata"),
    [
        (None, None),
        ({}, None),
        ({"prompt_tokens": 3}, {"promptTokenCount": 3}),
        ({"completion_tokens": 3}, {"candidatesTokenCount": 3}),
        ({"prompt_tokens": "3", "total_tokens": -1, "completion_tokens": True}, None),
        (
            {"completion_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 5}},
            {"candidatesTokenCount": 0, "thoughtsTokenCount": 5},
        ),
        (
            {"prompt_tokens": 0, "prompt_tokens_details": None},
            {"promptTokenCount": 0},
        ),
        # DeepSeek, Moonshot and SGLang name these beside the counts.
        (
            {"prompt_tokens": 9, "prompt_cache_hit_tokens": 8},
            {"promptTokenCount": 9, "cachedContentTokenCount": 8},
        ),
        (
            {"prompt_tokens": 9, "cached_tokens": 8},
            {"promptTokenCount": 9, "cachedContentTokenCount": 8},
        ),
        (
            {"completion_tokens": 9, "reasoning_tokens": 8},
            {"candidatesTokenCount": 1, "thoughtsTokenCount": 8},
        ),
    ],
)
def test_missing_counts_are_left_out(usage: Any, metadata: dict[str, int] | None) -> None:
    expected = {} if metadata is None else {"usageMetadata": metadata}
    assert from_openai_usage(usage, CHAT_USAGE) == expected


@pytest.mark.parametrize(("written", "total"), [(5, 115), (105, 115)])
def test_the_total_shows_whether_reasoning_is_in_what_was_written(written: int, total: int) -> None:
    """xAI counts it apart, OpenAI does not."""
    usage = {"prompt_tokens": 10, "completion_tokens": written, "total_tokens": total}
    details = {"completion_tokens_details": {"reasoning_tokens": 100}}
    counted = from_openai_usage(usage | details, CHAT_USAGE)["usageMetadata"]
    assert (counted["candidatesTokenCount"], counted["thoughtsTokenCount"]) == (5, 100)
