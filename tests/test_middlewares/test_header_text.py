import asyncio

import pytest
from aiohttp import web
from aiohttp.http_writer import _serialize_headers
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from middlewares.header_text import header_text, make_headers_valid


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


ODD = "\x00\r\n\t\x7f\x80\u2028\ud800\udc80\udcff\uffff"
ANY_TEXT = st.lists(st.sampled_from(ODD) | st.characters()).map("".join)


@given(st.lists(ANY_TEXT, max_size=3))
def test_any_header_can_be_sent(values: list[str]) -> None:
    """Also lone surrogates and control characters; a repeated header stays repeated."""
    response = web.Response()
    for value in values:
        response.headers.add("X-Any", value)
    asyncio.run(make_headers_valid(make_mocked_request("GET", "/"), response))
    _serialize_headers("HTTP/1.1 200 OK", response.headers)
    assert len(response.headers.getall("X-Any", [])) == len(values)


def test_valid_headers_stay_as_they_are() -> None:
    response = web.Response(headers={"X-A": "a\tb", "X-B": "r\u00e9sum\u00e9"})
    asyncio.run(make_headers_valid(make_mocked_request("GET", "/"), response))
    assert (response.headers["X-A"], response.headers["X-B"]) == ("a\tb", "r\u00e9sum\u00e9")
