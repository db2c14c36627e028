import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.bedrock.immediate.result_line import (
    HEAD_BYTES,
    is_error,
    render_error,
    render_output,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)


@given(TEXT, st.dictionaries(TEXT, VALUES, max_size=4))
def test_an_output_is_one_line_that_holds_it(record_id: str, output: dict[str, object]) -> None:
    line = render_output(record_id, orjson.dumps(output, option=orjson.OPT_INDENT_2), {})
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert orjson.loads(line) == {"recordId": record_id, "modelOutput": output}
    assert not is_error(line[:HEAD_BYTES])


@given(TEXT, st.integers(400, 599), TEXT)
def test_an_error_is_one_line_that_says_so(record_id: str, code: int, message: str) -> None:
    line = render_error(record_id, code, message)
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    error = {"errorCode": code, "errorMessage": message}
    assert orjson.loads(line) == {"recordId": record_id, "error": error}
    assert is_error(line[:HEAD_BYTES])


def test_half_a_character_costs_no_answer() -> None:
    line = render_output("r", rb'{"text":"a\ud800b"}', {})
    assert orjson.loads(line)["modelOutput"] == {"text": "a\ufffdb"}


@pytest.mark.parametrize("output", [b"", b"nonsense", b"null", b'"text"', b"[{}]"])
def test_what_is_no_object_is_no_output(output: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - orjson's own words, or ours
        render_output("r", output, {})
