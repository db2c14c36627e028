from typing import Any

import pytest

from providers.claude_content.prompt_cache import marked_for_cache
from providers.prompt_cache import CacheLife

A, B = {"type": "text", "text": "a"}, {"type": "text", "text": "b"}
F, G = {"name": "f", "input_schema": {}}, {"name": "g", "input_schema": {}}
MARK = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
REST = {"model": "m", "messages": [{"role": "user", "content": [A]}]}


@pytest.mark.parametrize(
    ("params", "life", "marked"),
    [
        ({"system": [A, B]}, CacheLife.FIVE_MINUTES, {"system": [A, B | MARK]}),
        (
            {"system": [A], "tools": [F, G]},
            CacheLife.ONE_HOUR,
            {"system": [A | HOUR], "tools": [F, G | HOUR]},
        ),
        ({"tools": [F]}, CacheLife.FIVE_MINUTES, {"tools": [F | MARK]}),
        ({}, CacheLife.FIVE_MINUTES, {}),
        ({"system": [A], "tools": [F]}, None, {"system": [A], "tools": [F]}),
    ],
)
def test_the_last_tool_and_the_last_system_text_are_marked(
    params: dict[str, Any], life: CacheLife | None, marked: dict[str, Any]
) -> None:
    assert marked_for_cache(REST | params, life) == REST | marked
