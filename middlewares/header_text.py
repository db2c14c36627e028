"""Header values as text that can be used in JSON, in a digest, or in another header."""

import re
from typing import Final

from aiohttp import web

# aiohttp sends no header with one of these.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def header_text(value: str) -> str:
    """`value` as UTF-8, or if it is not UTF-8 as ISO-8859-1, HTTP's old charset.

    Clients use both for names (RFC 9110 section 5.5). aiohttp represents bytes that are not UTF-8
    as lone surrogates, which cannot be encoded.
    """
    if value.isascii():
        return value
    try:
        data = value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        data = value.encode("utf-8", "backslashreplace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


async def make_headers_valid(_: web.Request, response: web.StreamResponse) -> None:
    """Makes every header one that can be sent: an upstream's values may have any bytes."""
    headers = response.headers
    text = "".join(headers.values())
    if text.isascii() and text.isprintable():
        return
    valid = [(name, _CONTROL.sub(" ", header_text(value))) for name, value in headers.items()]
    headers.clear()
    headers.extend(valid)
