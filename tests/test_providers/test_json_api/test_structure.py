"""What is counted in a JSON text is what its objects have."""

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.json_api.json_text import parse_clients_json, parse_json, parse_object
from providers.json_api.structure import SHORT_BYTES, Structure, TooComplex, structure_of, weigh
from providers.limits import JSON_DEPTH, JSON_ITEMS, JSON_NODES, LINE_NODES

TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\[]{},: \n'))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


def counted(value: Any) -> tuple[int, int, int]:
    """(depth, nodes, commas), from the value."""
    match value:
        case str():
            return 0, 1, 0
        case list() | dict():
            inner = [*value, *value.values()] if isinstance(value, dict) else value
            found = [counted(each) for each in inner]
            depth = max((each[0] for each in found), default=0)
            commas = max(0, len(value) - 1) + sum(each[2] for each in found)
            return depth + 1, 1 + sum(each[1] for each in found), commas
    return 0, 0, 0


@given(VALUES, st.booleans(), st.integers(1, 40))
def test_depth_nodes_and_commas_are_those_of_the_value(
    value: Any, ascii_only: bool, slice_bytes: int
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1).encode()
    with (
        patch("providers.json_api.structure._bounded", return_value=None),
        patch("providers.json_api.structure._SLICE_BYTES", slice_bytes),
    ):
        found = structure_of(text)
    assert (found.depth, found.nodes, found.items) == counted(value)


@given(VALUES, st.integers(1, 20), st.integers(1, 20), st.integers(1, 20), st.integers(1, 20))
def test_upper_bounds_change_no_decision(
    value: Any, depth: int, nodes: int, items: int, long: int
) -> None:
    text = json.dumps(value).encode()

    def decision() -> str:
        try:
            return f"{structure_of(text, nodes).is_long_work}"
        except TooComplex as error:
            return error.message

    with (
        patch("providers.json_api.structure.SHORT_BYTES", 0),
        patch("providers.json_api.structure.JSON_DEPTH", depth),
        patch("providers.json_api.structure.JSON_ITEMS", items),
        patch("providers.json_api.structure._LONG_NODES", long),
    ):
        quick = decision()
        with patch("providers.json_api.structure._bounded", return_value=None):
            assert quick == decision()


@pytest.mark.parametrize("short", [0, SHORT_BYTES])
@given(value=VALUES)
def test_upper_bounds_are_not_less_than_what_is_in_the_text(short: int, value: Any) -> None:
    with patch("providers.json_api.structure.SHORT_BYTES", short):
        found = structure_of(json.dumps(value).encode())
    depth, nodes, items = counted(value)
    assert found.depth >= depth
    assert found.nodes >= nodes
    assert found.items >= items


@given(st.binary() | st.text(st.sampled_from('"\\[]{},a')).map(str.encode))
def test_any_text_is_counted(text: bytes) -> None:
    """It need not be JSON, which is known only after it is parsed."""
    with patch("providers.json_api.structure.SHORT_BYTES", 0):
        assert structure_of(text).length == len(text)


AT_THE_LIMITS: dict[str, Callable[[int], bytes]] = {
    "depth": lambda more: b"[" * (JSON_DEPTH + more) + b"]" * (JSON_DEPTH + more),
    "objects": lambda more: b"[" + b",".join([b"{}"] * (JSON_NODES - 1 + more)) + b"]",
    "strings": lambda more: b"[" + b",".join([b'""'] * (JSON_NODES - 1 + more)) + b"]",
    "members": lambda more: (
        b"{" + b",".join(b'"%d":""' % n for n in range((JSON_NODES - 1) // 2 + more)) + b"}"
    ),
    "items": lambda more: b"[" + b",".join([b"7"] * (JSON_ITEMS + 1 + more)) + b"]",
}


@pytest.mark.parametrize("name", AT_THE_LIMITS)
def test_a_text_at_a_limit_is_parsed_and_one_over_it_is_not(name: str) -> None:
    text = AT_THE_LIMITS[name]
    assert orjson.dumps(parse_json(text(0))) == text(0)
    with pytest.raises(TooComplex, match="more than"):
        parse_json(text(1))
    assert parse_object(text(1)) is None
    with pytest.raises(FerryError, match=r"^body: .* more than [0-9]+ ") as caught:
        parse_clients_json(text(1))
    assert caught.value.code == 400


async def test_a_long_text_is_counted_too() -> None:
    text = b'["' + b'a \\"[quoted]\\", ' * 100_000 + b'"]'
    assert await weigh(text) == Structure(len(text), depth=1, nodes=2, items=0)


def test_memory_is_charged_for_the_structure() -> None:
    dense = b"[" + b",".join([b'{"a":"b"}'] * 10_000) + b"]"
    assert structure_of(dense).extra_bytes > 40 * len(dense) * 2
    assert structure_of(b'"' + b"a" * len(dense) + b'"').extra_bytes < 1000


def test_only_a_long_or_dense_text_is_long_work() -> None:
    assert not structure_of(b"[" + b",".join([b"{}"] * (SHORT_BYTES // 3 - 1)) + b"]").is_long_work
    assert structure_of(b"[" + b",".join([b"{}"] * 6_000) + b"]").is_long_work
    assert structure_of(b'"' + b"a" * (1 << 20) + b'"').is_long_work
    assert LINE_NODES < JSON_NODES
