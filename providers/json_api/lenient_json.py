"""JSON as people write it, and as Google reads it, rewritten as JSON.

Google's own examples for curl end lists with a comma, have line breaks in a string, and begin an
upload with `{'file': {'display_name': 'TEXT'}}` (gemini.md section 1).
"""

import re
from typing import Final

# No quantifier gives anything back, and a string without an end takes the rest: so the time is
# proportional to the length of any text.
_TOKEN: Final = re.compile(
    rb"""
    "[^"\\]*+(?:\\.[^"\\]*+)*+"
    | (?P<single>'[^'\\]*+(?:\\.[^'\\]*+)*+')
    | ["'].*+
    | ,(?=\s*+[]}])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE_OR_QUOTE: Final = re.compile(rb'\\.|"', re.DOTALL)
_CONTROL: Final = re.compile(rb"[\x00-\x1f]")
_NOT_CONTROL: Final = bytes(range(0x20, 0x100))


def strict_json(text: bytes) -> bytes:
    """Valid JSON stays as it is. Other text may still not be JSON."""
    return _TOKEN.sub(_strict_token, text)


def _strict_token(found: re.Match[bytes]) -> bytes:
    token = found[0]
    if token == b",":
        return b""
    if found["single"]:
        token = b'"%b"' % _ESCAPE_OR_QUOTE.sub(_in_double_quotes, token[1:-1])
    if token.translate(None, _NOT_CONTROL):
        token = _CONTROL.sub(_escaped, token)
    return token


def _in_double_quotes(found: re.Match[bytes]) -> bytes:
    return {b'"': b'\\"', b"\\'": b"'"}.get(found[0], found[0])


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % found[0][0]
