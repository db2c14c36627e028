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
    ],
)
def test_missing_counts_are_left_out(usage: Any, metadata: dict[str, int] | None) -> None:
    expected = {} if metadata is None else {"usageMetadata": metadata}
    assert from_openai_usage(usage, CHAT_USAGE) == expected
