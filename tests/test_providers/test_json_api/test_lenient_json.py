import json
import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.json_api.json_text import parse_clients_json
from providers.json_api.lenient_json import strict_json

_HAND_WRITTEN = [
    # Google's own examples for curl.
    ("{'file': {'display_name': 'TEXT'}}", {"file": {"display_name": "TEXT"}}),
    (
        '{"contents": [{"parts":[{"text": "a"}],\n },\n ],\n }',
        {"contents": [{"parts": [{"text": "a"}]}]},
    ),
    ('{"text": "one\n\ttwo \\"three\\""}', {"text": 'one\n\ttwo "three"'}),
    # And what else such text may hold.
    (
        "['it\\'s \"so\"', 'a\\\\', 'b\\n', '\\\"', 'two\nlines']",
        ['it\'s "so"', "a\\", "b\n", '"', "two\nlines"],
    ),
    ("['[{,', \"it's ,]\" , ]", ["[{,", "it's ,]"]),
    ("{'ü': '\\u00fc',}", {"ü": "ü"}),
]


@pytest.mark.parametrize(("text", "value"), _HAND_WRITTEN)
def test_hand_written_json(text: str, value: object) -> None:
    assert parse_clients_json(text.encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "'",
        '"',
        "['a\\']",
        "[,]x",
        "{'a': 1",
        "[1 2]",
        "[,,]",
        "{a: 1}",
        "['\xff']",
        "[1],[2]",
        "[NaN,]",
    ],
)
def test_the_error_is_about_the_text_as_it_was_sent(text: str) -> None:
    sent = text.encode("latin-1")
    with pytest.raises(orjson.JSONDecodeError) as strict:
        orjson.loads(sent)
    with pytest.raises(FerryError) as refused:
        parse_clients_json(sent)
    assert refused.value.message == f"body: not JSON: {strict.value}"


@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_stays_as_it_is(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=1, ensure_ascii=False)):
        assert strict_json(text.encode(errors="surrogatepass")) == text.encode(
            errors="surrogatepass"
        )


def test_only_what_a_person_may_have_written_is_read_leniently() -> None:
    for text in (b"[%b'a',]" % (b"'a'," * 5000), b"['%b',]" % (b"a" * (4 << 20))):
        with pytest.raises(FerryError):
            parse_clients_json(text)


@pytest.mark.parametrize("piece", [b'"', b"'", b"\\", b'\\"', b"'\\\"", b", ", b"[,", b"'\n"])
def test_the_time_is_proportional_to_the_length(piece: bytes) -> None:
    began = time.thread_time()
    strict_json(b'"' + piece * (400_000 // len(piece)))
    strict_json(piece * (400_000 // len(piece)))
    assert time.thread_time() - began < 2
