import pytest
from hypothesis import given
from hypothesis import strategies as st

from middlewares.header_text import header_text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b"", ""),
        ("r\u00e9sum\u00e9".encode(), "r\u00e9sum\u00e9"),
        (b"r\xe9sum\xe9", "r\u00e9sum\u00e9"),
        ("\U0001f600".encode(), "\U0001f600"),
        (b"\xff\xfe", "\u00ff\u00fe"),
    ],
)
def test_utf_8_or_else_latin_1(raw: bytes, text: str) -> None:
    assert header_text(raw.decode("utf-8", "surrogateescape")) == text


@given(st.binary(max_size=30))
def test_any_header_can_be_encoded(raw: bytes) -> None:
    header_text(raw.decode("utf-8", "surrogateescape")).encode()
