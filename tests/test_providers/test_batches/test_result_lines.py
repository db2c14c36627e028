import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.json_lines import TooLong
from providers.batches.result_lines import id_at_head, id_of, parse_result
from providers.limits import RESULT_HEAD

ID = "recordId"
# Any sequence of UTF-16 units that JSON can escape, also single surrogates.
UNITS = st.text(st.characters(exclude_categories=()) | st.sampled_from("\ud83d\ude00"))
TEXTS = UNITS | st.text(st.sampled_from('\\ud80"/nu\ud800\udc00'))


def scalar(text: str) -> str:
    """`text` with valid surrogate pairs joined and single surrogates replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def line(**members: Any) -> bytes:
    return json.dumps({ID: "a", **members}).encode()


# --- what can be read -----------------------------------------------------------------------------


@given(st.dictionaries(TEXTS, TEXTS))
def test_an_invalid_character_does_not_break_a_line(said: dict[str, str]) -> None:
    named, document = parse_result(line(said=list(said.items())), ID)
    assert named == "a"
    assert document["said"] == [[scalar(k), scalar(v)] for k, v in said.items()]
    assert orjson.loads(orjson.dumps(document)) == document


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"\ud800", "\ufffd"),
        (rb"\uDC00", "\ufffd"),
        (rb"\ud83d\ude00", "\U0001f600"),
        (rb"\ud800\ud83d\ude00", "\ufffd\U0001f600"),
        (rb"\ud83dx\ude00", "\ufffdx\ufffd"),
        (rb"\ud800\\ud800", "\ufffd\\ud800"),
        (rb"\ud800\\\ud800", "\ufffd\\\ufffd"),
        (rb"\ud800\"\n\u4e2d", '\ufffd"\n\u4e2d'),
        (b"\xff", "\ufffd"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (rb"\ud800" + b"\xc3\xa4", "\ufffd\u00e4"),
    ],
)
def test_invalid_unicode_is_replaced(written: bytes, read: str) -> None:
    text = b'{"recordId":"a","said":"' + written + b'"}'
    assert parse_result(text, ID) == ("a", {ID: "a", "said": read})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ("1e999", "Infinity"),
        ("-1e+400", "-Infinity"),
        ("1E-999", 0.0),
        (r'["NaN\ud800", NaN]', ["NaN\ufffd", "NaN"]),
        ("[NaN, 18446744073709551617, 1e300]", ["NaN", 18446744073709551617, 1e300]),
    ],
)
def test_an_infinite_number_does_not_break_a_line(written: str, read: Any) -> None:
    line = b'{"id":"r","said":%b}' % written.encode()
    assert parse_result(line, "id") == ("r", {"id": "r", "said": read})


@pytest.mark.parametrize(
    "text", [b'{"id":"r","said":NaN', b'{"id":"r","said":[NaN,' + b"[" * 100_000]
)
def test_text_that_is_not_json_apart_from_its_numbers(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        parse_result(text, "id")


@given(st.binary() | st.sampled_from([b"NaN", b"[1,]", b'{"a":1}x']))
def test_an_invalid_line_is_not_a_result(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the parsers word it differently
        parse_result(text, ID)


@pytest.mark.parametrize("text", [b"{}", b"[]", b"null", b'"a"', b'{"recordId":7}'])
def test_json_without_a_request(text: bytes) -> None:
    with pytest.raises(ValueError, match="names no request"):
        parse_result(text, ID)
    assert id_of(text, ID) is None


# --- what cannot ----------------------------------------------------------------------------------


@given(st.text(), st.dictionaries(st.text().filter(lambda name: name != ID), st.text()))
def test_an_id_at_the_head_is_found(named: str, before: dict[str, str]) -> None:
    for dumps in (json.dumps, lambda value: orjson.dumps(value).decode()):
        text = dumps({**before, ID: named, "said": "x" * 10}).encode()
        assert id_at_head(text[:-1], ID) == (named if len(text) < RESULT_HEAD else None)


@pytest.mark.parametrize(
    ("head", "named"),
    [
        (b'{"recordId":"a","modelOutput":{"con', "a"),
        (b' { "recordId" : "a" , ', "a"),
        (b'{"id":"batch_req_1","recordId":"a","response":{', "a"),
        (b'{"recordId":"a', None),
        (b'{"recordId":7,', None),
        (b'{"recordId":"\xff",', None),
        (b'{"modelInput":{"recordId":"a"},', None),
        (b'{"modelInput":"\\"recordId\\":\\"a\\"', None),
        (b'{"modelInput":1,"recordId":"a"', None),
        (b'"recordId":"a"', None),
        (b"", None),
    ],
)
def test_only_strings_may_precede_an_id(head: bytes, named: str | None) -> None:
    assert id_at_head(head, ID) == named
    assert id_of(TooLong(head), ID) == named
    assert id_of(head, ID) == named


def test_a_head_of_one_long_string_is_searched_quickly() -> None:
    """If every way to divide it were tried, this would not end."""
    assert id_at_head(b'{"' + b"x" * RESULT_HEAD, ID) is None
    assert id_at_head(b'{"' + b'\\"' * RESULT_HEAD, ID) is None
    assert id_at_head(b"{" + b'"a":"b",' * RESULT_HEAD, ID) is None


def test_a_line_that_can_be_read_names_its_request_anywhere() -> None:
    assert id_of(b'{"n":1,"recordId":"a"}', ID) == "a"


def test_members_of_a_broken_line_are_read_only_with_commas_between_them() -> None:
    assert id_at_head(b'{"a": "b", "recordId": "x" ', ID) == "x"
    assert id_at_head(b'{"a": "b" "recordId": "x" ', ID) is None
    assert id_at_head(b'{"recordId": "x", "recordId": "y", "z', ID) == "y"
