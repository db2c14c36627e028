"""Strategies for answers that may have anything in any place."""

from typing import Any

from hypothesis import strategies as st

Anything = st.SearchStrategy[Any]


def any_json(integers: Anything, *texts: str) -> Anything:
    """Any JSON document, with `texts` among its strings."""
    leaves = st.none() | st.booleans() | integers | st.floats() | st.sampled_from(texts)
    return st.recursive(
        leaves | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=10,
    )


def like(example: Any, anything: Anything) -> Anything:
    """Values shaped like `example`, with `anything` in place of any of its parts."""
    if isinstance(example, dict):
        fields = {name: like(value, anything) for name, value in example.items()}
        return st.one_of(st.fixed_dictionaries({}, optional=fields), anything)
    if isinstance(example, list):
        items = st.one_of(*(like(item, anything) for item in example))
        return st.one_of(st.lists(items, max_size=3), anything)
    return st.one_of(st.just(example), anything)
