from typing import Any

import pytest

from providers.gemini_content.nesting import nested_too_deep


def _nested(levels: int) -> Any:
    value: Any = "leaf"
    for level in range(levels):
        value = [value] if level % 2 else {"key": value}
    return value


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
def test_the_limit_itself_is_allowed(levels: int) -> None:
    assert not nested_too_deep(_nested(levels), levels)
    assert nested_too_deep(_nested(levels + 1), levels)


def test_empty_containers_count_as_a_level() -> None:
    assert not nested_too_deep([[]], 2)
    assert nested_too_deep([[]], 1)


def test_a_depth_that_would_overflow_a_recursion() -> None:
    assert nested_too_deep(_nested(100_000))
