"""A text that is parsed in pieces has the value, or the error, of the whole text."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.json_api.json_text import parse_json
from providers.json_api.pieces import parse_in_pieces
from providers.limits import JSON_NAME

MIB = 1 << 20
SMALL = st.integers(32, 90)
CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\,[]{}:u\n\U0001f600')
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
FRAGMENTS = st.sampled_from(
    [b"", b",", b'"', b"[", b"{", b"}", b"]", b":", b"\\", b"1", b" ", b"\xff", b'"a":', rb"\ud83d"]
)


def rendered(ascii_only: bool) -> Callable[[Any], str]:
    return lambda value: json.dumps(value, ensure_ascii=ascii_only)


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """JSON, also with several members of the same name; at times with a fragment too many."""
    gap = draw(st.sampled_from(["", " ", "\n  "]))
    text = (st.text(CHARACTERS, max_size=150)).map(rendered(draw(st.booleans())))
    name = st.sampled_from(['"a"', '"b"', '""', r'"\""', '","'])
    value = st.recursive(
        SCALARS.map(json.dumps) | text,
        lambda inner: (
            st.lists(inner, max_size=5).map(lambda found: f"[{gap}{f'{gap},'.join(found)}]")
            | st.lists(st.tuples(name, inner), max_size=5).map(
                lambda found: (
                    f"{{{f',{gap}'.join(f'{gap}{key}{gap}:{value}' for key, value in found)}}}"
                )
            )
        ),
        max_leaves=30,
    )
    whole = draw(value).encode()
    at = draw(st.integers(0, len(whole)))
    return whole[:at] + draw(FRAGMENTS) + whole[at:]


def outcome(parse: Callable[[], Any]) -> str:
    """The value, with the order of members, or that there is none."""
    try:
        return repr(parse())
    except orjson.JSONDecodeError:
        return "error"


@given(texts(), SMALL)
@example(b"[1,]", 32)
@example(b'{"a":1,}', 32)
@example(b"[,1]", 32)
@example(b"1,2", 32)
@example(b"[1],[2]", 32)
@example(b'{"a":[1],"b":[2],"a":[3,4,5,6,7,8,9,10,11,12,13,14],"c":1}', 32)
@example(b'["' + rb"\ud83d\ude00" * 20 + b'"]', 32)
@example(b'["' + rb"\\" * 50 + rb"\ud83d\ude00\ud83d" + b'"]', 32)
def test_the_value_or_the_error_is_that_of_the_whole(text: bytes, size: int) -> None:
    whole = outcome(lambda: orjson.loads(text))
    assert outcome(lambda: parse_in_pieces(text, orjson.loads, size)) == whole


LONG = {
    "ascii": b'["' + b"a" * 2 * MIB + b'"]',
    "emoji": b'["' + "a\U0001f600".encode() * (MIB // 2) + b'"]',
    "pairs": b'["' + rb"\ud83d\ude00" * (MIB // 6) + b'"]',
    "quotes": b'["' + rb"\"" * MIB + b'"]',
    "backslashes": b'["' + rb"\\" * MIB + b'"]',
    "digits": b"[" + b",".join([b"0." + b"1234567890" * 76 + b"e-300"] * 2000) + b"]",
    "items": b"[" + b",".join([b"1"] * MIB) + b"]",
    "objects": b"[" + b",".join([b'{"a":["",{}]}'] * 80_000) + b"]",
    "texts": b"[" + b",".join([b'"' + b"a" * 1000 + b'"'] * 2000) + b"]",
    "members": b'{"a":[{"b":{' + b",".join(b'"%d":[1,2]' % n for n in range(100_000)) + b"}}]}",
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_no_call_is_much_longer_than_a_piece(text: bytes) -> None:
    longest = 0

    def parse(piece: bytes) -> Any:
        nonlocal longest
        longest = max(longest, len(piece))
        return orjson.loads(piece)

    assert parse_in_pieces(text, parse) == orjson.loads(text)
    assert longest < 3 * JSON_NAME


def test_an_integer_in_a_piece_is_exact() -> None:
    text = b"[" + b",".join([b"12345678901234567890123", b'"' + b"a" * MIB + b'"'] * 3) + b"]"
    assert parse_json(text)[4] == 12345678901234567890123


def test_a_name_longer_than_a_piece_is_refused() -> None:
    with pytest.raises(
        orjson.JSONDecodeError, match="the name of a member has more than 65536 bytes"
    ):
        parse_in_pieces(b'{"' + b"a" * (JSON_NAME + 1) + b'":1}', orjson.loads)


def test_the_position_of_an_error_is_in_the_whole_text() -> None:
    text = b"[" + b"1," * MIB + b"x]"
    with pytest.raises(orjson.JSONDecodeError) as caught:
        parse_in_pieces(text, orjson.loads)
    assert caught.value.pos == text.index(b"x")
