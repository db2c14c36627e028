import json
import tracemalloc
from enum import StrEnum
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.json_api.json_text import (
    one_line,
    parse_json,
    render_compact,
    render_json,
    render_line,
)

_LARGE = [2**64, -(2**63) - 1, 10**30, -(10**300), 2**64 + 1]
_ORDINARY = [0, -1, 2**63, 2**64 - 1, -(2**63), 10**18]


@pytest.mark.parametrize("number", _LARGE + _ORDINARY, ids=lambda number: f"{number:.3e}")
@pytest.mark.parametrize("shape", ['{"a":%d}', "[1,%d]", "%d", '{"a": %d}', "[\n%d]"])
def test_an_integer_stays_exact(number: int, shape: str) -> None:
    text = shape % number
    value = parse_json(text.encode())
    assert value == json.loads(text)
    assert render_json(value) == text.replace(" ", "").replace("\n", "").encode()
    assert parse_json(text) == value


def test_orjson_alone_would_change_it() -> None:
    """The reason for the module: if this fails, orjson can do it."""
    assert orjson.loads(str(2**64 + 1)) == float(2**64)


@pytest.mark.parametrize(
    "text",
    [
        "0.12345678901234567890123",
        "1e22",
        '"123456789012345678901234567890"',
        '{"a":": 123456789012345678901234567890"}',
        "[1.0,-0.00012345678901234567]",
    ],
)
def test_text_that_only_looks_like_a_large_integer_is_unchanged(text: str) -> None:
    assert parse_json(text) == orjson.loads(text)
    assert type(parse_json(text)) is type(orjson.loads(text))


@pytest.mark.parametrize("place", [0, 1, 65_530, 65_536, 131_066, 131_072])
def test_a_large_integer_is_found_anywhere(place: int) -> None:
    text = b'["' + b"x" * place + b'",%d]' % 2**64
    assert parse_json(text)[1] == 2**64


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "[Infinity]", '"\\ud800"', "1e400", "9" * 309, "[" * 5000]
)
def test_text_that_is_not_json_or_not_a_double(text: str) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        parse_json(text)


def test_deep_nesting_next_to_a_large_integer_is_refused() -> None:
    text = "[" * 1020 + str(2**64) + "]" * 1020
    with pytest.raises(orjson.JSONDecodeError, match="nested too deeply"):
        parse_json(text)


_BREAKS = "\u2028\u2029\u0085"


@pytest.mark.parametrize("render", [render_json, render_line])
def test_a_line_is_one_line_for_every_reader(render: Any) -> None:
    value = {f"k{_BREAKS}": f"a{_BREAKS}b\n\x0b\x0c\x1c\x1d\x1e\r", "é": 2**70 // 3}
    value["é"] = parse_json(str(value["é"]))
    line = render(value)
    assert len(line.decode().splitlines()) == 1
    assert json.loads(line) == value
    assert b"\\u2028\\u2029\\u0085" in line


def test_a_line_that_is_passed_on_is_one_line() -> None:
    text = '{"a":\r"x\u2028"}'.encode()
    assert one_line(text) == b'{"a": "x\\u2028"}'
    assert one_line(b'{"a": "\\r"}') == b'{"a": "\\r"}'


@pytest.mark.parametrize("shift", range(4))
def test_a_long_text_is_escaped_like_a_short_one(shift: int) -> None:
    text = ("a" * shift + "\u2028\U0001f600\u0085" * 20_000).encode()
    assert one_line(text) == text.replace("\u2028".encode(), rb"\u2028").replace(
        "\u0085".encode(), rb"\u0085"
    )


def test_a_raw_fragment_is_escaped_too() -> None:
    assert render_json({"key": orjson.Fragment('"\u2028"')}) == b'{"key":"\\u2028"}'


class _State(StrEnum):
    DONE = "done"


def test_an_enum_next_to_a_large_integer() -> None:
    assert render_json([_State.DONE, parse_json(str(2**64))]) == b'["done",18446744073709551616]'


@pytest.mark.parametrize("value", [object(), float, [{1, 2}], "\ud800"])
def test_values_without_json(value: Any) -> None:
    with pytest.raises(orjson.JSONEncodeError):
        render_json(value)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**40), max_value=10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
    | st.text(_BREAKS + "a1\n"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(_BREAKS + "ab"), inner),
    max_leaves=20,
)


@given(_json)
def test_any_document_is_written_in_one_line_and_read_back(value: Any) -> None:
    parsed = parse_json(json.dumps(value))
    assert parsed == value
    rendered = render_json(parsed)
    assert len(rendered.decode().splitlines()) == 1
    assert parse_json(rendered) == value
    assert json.loads(rendered) == value


@pytest.mark.parametrize("length", [1, 500, 5_000])
def test_compact_json_takes_no_more_memory_than_its_text(length: int) -> None:
    value, count = "x" * length, 1_000
    tracemalloc.start()
    try:
        kept = [render_compact(value) for _ in range(count)]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(map(len, kept)) == count * (length + 2)
    assert taken < count * (length + 100)


def test_compact_json_is_the_same_text() -> None:
    value = {"key": "ä", "list": [1, 2.5, None, True], "raw": orjson.Fragment(b'{"a":1}')}
    assert render_compact(value) == orjson.dumps(value)
