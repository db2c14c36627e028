import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.line_formats import (
    GeminiLines,
    LineFormat,
    SeenTexts,
    check_custom_id,
    parse_line,
)
from providers.batches.request_table import RowKind
from providers.errors import FerryError
from providers.json_api.json_text import render_json
from providers.limits import JSON_DEPTH
from providers.status import Status
from tests.test_providers.requests_in_lines import OWN, TRANSLATED, Numbered, OwnLines, formats

REQUEST: dict[str, Any] = {"contents": [{"parts": [{"text": "hi"}]}]}


def gemini() -> GeminiLines:
    return GeminiLines(Numbered())


def refusal(lines: LineFormat, number: int, document: dict[str, Any]) -> FerryError:
    with pytest.raises(FerryError) as caught:
        lines.read(0, number, document)
    assert caught.value.status == Status.INVALID_ARGUMENT
    return caught.value


# --- Gemini's format ----------------------------------------------------------------------------


def test_a_line_is_translated_and_keeps_its_key() -> None:
    lines = gemini()
    sent, row = lines.read(7, 9, {"key": "k", "request": REQUEST})
    assert orjson.loads(sent) == {"number": 7, "request": REQUEST}
    assert row == b'"k"'
    assert (lines.name, lines.row_kind, lines.endpoint) == ("gemini", RowKind.KEY, TRANSLATED)


def test_a_bare_request_is_translated() -> None:
    sent, _ = gemini().read(7, 9, REQUEST)
    assert orjson.loads(sent) == {"number": 7, "request": REQUEST}


def test_a_line_without_a_key_gets_its_number() -> None:
    lines = gemini()
    assert lines.read(0, 3, {"request": REQUEST})[1] == b'"3"'
    assert lines.read(1, 4, REQUEST)[1] == b'"4"'
    assert lines.read(2, 5, {"key": None, "request": REQUEST})[1] == b'"5"'


def test_a_number_that_another_line_has_as_its_key() -> None:
    lines = gemini()
    lines.read(0, 1, {"key": "2", "request": REQUEST})
    assert refusal(lines, 2, {"request": REQUEST}).path == "line 2: key"


def test_a_key_that_another_line_has() -> None:
    lines = gemini()
    lines.read(0, 1, {"key": "k", "request": REQUEST})
    error = refusal(lines, 2, {"key": "k", "request": REQUEST})
    assert error.path == "line 2: key"
    assert "'k'" in error.message


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"key": 1, "request": REQUEST}, "line 4: key"),
        ({"key": "🎉" * 501, "request": REQUEST}, "line 4: key"),
        ({"key": "k", "request": REQUEST, "custom": 1}, "line 4: custom"),
        ({"key": "k", "request": []}, "line 4: request"),
        ({"key": "k", "request": None}, "line 4: request"),
        ({"key": "k"}, "line 4: request"),
    ],
)
def test_the_error_of_an_invalid_line_says_where(document: dict[str, Any], path: str) -> None:
    assert refusal(gemini(), 4, document).path == path


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"key": "k", "reqest": REQUEST}, "line 4: reqest: unknown field; did you mean 'request'?"),
        ({"kye": "k", "request": REQUEST}, "line 4: kye: unknown field; did you mean 'key'?"),
        (
            {"key": "k", "x" * 100: 1},
            f"line 4: {'x' * 80}: unknown field; the known ones are key, request",
        ),
        (
            {"key": "k", "request": REQUEST, "system_instruction": {}},
            "line 4: system_instruction: unknown field here; put it in request",
        ),
        (
            {"key": "k", "request": REQUEST, "temperature": 0},
            "line 4: temperature: unknown field here; put it in request.generationConfig",
        ),
        (
            {"key": "k", "request": REQUEST, "config": {}},
            "line 4: config: unknown field; put its settings in request.generationConfig; "
            "systemInstruction, tools, toolConfig and safetySettings belong next to it",
        ),
        (
            {"custom_id": "k", "request": REQUEST},
            "line 4: custom_id: unknown field; the known ones are key, request",
        ),
    ],
)
def test_a_misspelt_member_is_named(document: dict[str, Any], message: str) -> None:
    assert refusal(gemini(), 4, document).message == message


def test_a_key_at_the_limit() -> None:
    gemini().read(0, 1, {"key": "🎉" * 500, "request": REQUEST})


# --- a provider's own ids -----------------------------------------------------------------------


@pytest.mark.parametrize("custom_id", [None, "", 1, "x" * 1001, "é" * 501])
def test_an_invalid_custom_id(custom_id: object) -> None:
    with pytest.raises(FerryError) as caught:
        check_custom_id(custom_id, SeenTexts(), 2, "custom_id")
    assert (caught.value.status, caught.value.path) == (
        Status.INVALID_ARGUMENT,
        "line 2: custom_id",
    )


def test_an_id_with_another_name() -> None:
    with pytest.raises(FerryError) as caught:
        check_custom_id(None, SeenTexts(), 2, "recordId")
    assert caught.value.path == "line 2: recordId"


@pytest.mark.parametrize("custom_id", ["a", " ", "é" * 500])
def test_a_custom_id_is_accepted_once(custom_id: str) -> None:
    seen = SeenTexts()
    assert check_custom_id(custom_id, seen, 1, "custom_id") == custom_id
    assert check_custom_id(f"{custom_id[1:]}b", seen, 2, "custom_id")
    with pytest.raises(FerryError) as caught:
        check_custom_id(custom_id, seen, 3, "custom_id")
    assert caught.value.path == "line 3: custom_id"


# --- any line -----------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [b"{", b"[]", b"1", b'"text"', b"null", b"\xff", b"{} {}"])
def test_a_line_that_is_not_an_object(line: bytes) -> None:
    with pytest.raises(FerryError) as caught:
        parse_line(12, line)
    assert (caught.value.status, caught.value.path) == (Status.INVALID_ARGUMENT, "line 12")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b'{"custom_id":"a","custom_id":"b"}', "'custom_id'"),
        (b'{"a":{"b":[{"c":1,"d":":","c":2}]}}', "'c'"),
        (b'{"a":1,"\\u0061":2}', "'a'"),
        # An escaped colon replaces the missing one.
        (b'{"a":1,"a":"\\u003a"}', "'a'"),
    ],
)
def test_a_member_that_appears_twice(line: bytes, name: str) -> None:
    with pytest.raises(FerryError) as caught:
        parse_line(12, line)
    assert caught.value.message == f"line 12: {name} appears twice in one object"


@given(
    st.recursive(
        st.none() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_members_that_appear_once(value: object) -> None:
    document = {"a": value, "b": {"a": value}}
    for written in (orjson.dumps(document), json.dumps(orjson.loads(orjson.dumps(document)))):
        text = written if isinstance(written, bytes) else written.encode()
        assert parse_line(1, text.replace(b"x", b"\\u0078")) == orjson.loads(text)


@pytest.mark.parametrize("depth", [JSON_DEPTH, 300, 5000])
def test_a_line_that_is_nested_too_deeply(depth: int) -> None:
    with pytest.raises(FerryError) as caught:
        parse_line(2, b'{"a":' + b"[" * depth + b"]" * depth + b"}")
    assert caught.value.message == "line 2: is nested too deeply: more than 100 levels"


def test_a_line_of_the_greatest_depth_is_read_and_written() -> None:
    depth = JSON_DEPTH - 1
    line = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    assert render_json(parse_line(2, line)) == line


OWN_LINE: dict[str, Any] = {"custom_id": "a", "params": {}}
FOREIGN: list[dict[str, Any]] = [
    {"custom_id": "a", "body": {}},
    {"body": {}},
    {"custom_id": "a"},
    {"recordId": "a", "modelInput": {}},
    {"modelInput": {}},
    {"prompt": "hi"},
    {},
]


def test_the_first_line_determines_the_format() -> None:
    own = formats().recognise(OWN_LINE, Numbered())
    assert isinstance(own, OwnLines)
    assert own.endpoint == OWN
    for document in (REQUEST, {"key": "k", "request": REQUEST}, *FOREIGN):
        assert isinstance(formats().recognise(document, Numbered()), GeminiLines)


@pytest.mark.parametrize(
    ("first", "document"),
    [
        (REQUEST, REQUEST),
        (REQUEST, {"key": "k", "request": REQUEST}),
        ({"request": REQUEST}, REQUEST),
        (OWN_LINE, OWN_LINE),
        (OWN_LINE, {"params": None}),
    ],
)
def test_lines_in_one_format(first: dict[str, Any], document: dict[str, Any]) -> None:
    expected = formats().recognise(first, Numbered())
    formats().check(document, expected, 2)


@pytest.mark.parametrize(
    ("first", "document", "found", "expected"),
    [
        (REQUEST, OWN_LINE, "own", "gemini"),
        (OWN_LINE, REQUEST, "gemini", "own"),
        *((REQUEST, foreign, "an unknown", "gemini") for foreign in FOREIGN),
        *((OWN_LINE, foreign, "an unknown", "own") for foreign in FOREIGN),
    ],
)
def test_a_line_in_another_format(
    first: dict[str, Any], document: dict[str, Any], found: str, expected: str
) -> None:
    lines = formats().recognise(first, Numbered())
    with pytest.raises(FerryError) as caught:
        formats().check(document, lines, 2)
    assert (caught.value.status, caught.value.path) == (Status.INVALID_ARGUMENT, "line 2")
    assert caught.value.message == (
        f"line 2: this line is in {found} format, where {expected} format is expected"
    )


@pytest.mark.parametrize("foreign", FOREIGN)
def test_a_first_line_in_another_format_could_have_been_in_either(foreign: dict[str, Any]) -> None:
    lines = formats().recognise(foreign, Numbered())
    with pytest.raises(FerryError) as caught:
        formats().check(foreign, lines, 1)
    assert caught.value.message == (
        "line 1: this line is in an unknown format, where gemini or own format is expected"
    )


@pytest.mark.parametrize("document", [{"reqest": REQUEST}, {"contnets": []}, {"Requests": []}])
def test_a_misspelt_line_counts_as_gemini(document: dict[str, Any]) -> None:
    """Its reader can then name the member that was probably meant."""
    lines = formats().recognise(document, Numbered())
    formats().check(document, lines, 1)
    assert isinstance(lines, GeminiLines)


def test_a_line_that_is_not_json_says_where_in_the_line() -> None:
    with pytest.raises(FerryError) as caught:
        parse_line(7, b'{"key": oops}')
    assert caught.value.message.startswith("line 7: not JSON: ")
    assert "line 1" not in caught.value.message
    assert caught.value.message.endswith("at column 9")
