from typing import Any

import pytest

from providers.openai.usage_from_openai import from_openai_time, from_openai_usage


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
def test_what_is_not_counted_is_left_out(usage: Any, metadata: dict[str, int] | None) -> None:
    expected = {} if metadata is None else {"usageMetadata": metadata}
    assert from_openai_usage(usage, sent="prompt", written="completion") == expected


@pytest.mark.parametrize(
    ("seconds", "time"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_000.0, "2023-11-14T22:13:20Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (253_402_300_800, None),
        (-1, None),
        (0.5, None),
        (float("inf"), None),
        ("0", None),
        (None, None),
        (True, None),
    ],
)
def test_times(seconds: Any, time: str | None) -> None:
    assert from_openai_time(seconds) == time
