from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.claude_content.api_version import needs_old_version


def _message(role: str, *blocks: object) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": list(blocks)}]}


@pytest.mark.parametrize(
    ("params", "needs"),
    [
        ({}, False),
        ({"temperature": 0}, True),
        ({"top_p": 0.5}, True),
        ({"top_k": 1}, True),
        ({"temperature": None}, False),
        ({"messages": [{"role": "user", "content": "temperature"}]}, False),
        (_message("assistant", {"type": "document"}), True),
        (_message("user", {"type": "document"}), False),
        (_message("user", {"type": "text", "citations": [{}]}), True),
        (_message("user", {"type": "text", "citations": []}), False),
        (_message("assistant", {"type": "text", "citations": [{}]}), False),
        (_message("user", {"type": "text"}, {"type": "text", "citations": [{}]}), True),
        ({"messages": "odd"}, False),
        ({"messages": ["odd", {"content": [1]}]}, False),
    ],
)
def test_settings_that_only_the_old_version_accepts(params: dict[str, Any], needs: bool) -> None:
    assert needs_old_version(params) is needs


_json = st.recursive(
    st.none() | st.integers() | st.sampled_from(["user", "assistant", "text", "document"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["messages", "role", "content", "type"]), inner)
    ),
)


@given(params=st.dictionaries(st.just("messages"), _json))
def test_any_params_have_a_version(params: dict[str, Any]) -> None:
    assert needs_old_version(params) in (True, False)
