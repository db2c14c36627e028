"""JSON as text: parsed without changing a number, rendered so that a line stays one line.

orjson turns an integer of 2^64 and more, or below -2^63, into a float without saying so. Here it
stays exact. And it writes U+2028, U+2029 and U+0085 raw, at which Python's `splitlines` and others
cut a line: here they are escaped.
"""

import json
import re
from typing import Any, Final

import orjson

# What orjson reads and writes as an integer.
_NATIVE: Final = range(-(2**63), 2**64)

# The fewest digits that an integer beyond orjson's range has.
_MANY_DIGITS: Final = 19
_ZEROS: Final = b"0" * _MANY_DIGITS
_DIGITS_AS_ZEROS: Final = bytes.maketrans(b"123456789", b"0" * 9)
_SCANNED_AT_ONCE: Final = 64 << 10
# Many digits after a decimal point are part of a float.
_LONG_INTEGER: Final = re.compile(rb"(?:\A|[:,\[\s])-?[0-9]{19}")

# What some readers take for the end of a line, although JSON lines end at line feeds alone. Raw
# they can stand in strings, where an escape means the same; a carriage return only between values.
_BREAKS: Final = (
    (b"\r", b" "),
    ("\u0085".encode(), rb"\u0085"),
    ("\u2028".encode(), rb"\u2028"),
    ("\u2029".encode(), rb"\u2029"),
)


def parse_json(text: bytes | str) -> Any:
    """The value, its integers exact. Raises orjson.JSONDecodeError, which is a ValueError.

    So it does for a number beyond the range of a double, of 309 digits or more.
    """
    value = orjson.loads(text)
    data = text.encode() if isinstance(text, str) else text
    if not _may_hold_large_integer(data):
        return value
    del value  # so that two are never held
    return _parse_exactly(data)


def render_json(value: object) -> bytes:
    """`value` in one line. Raises orjson.JSONEncodeError for what has no JSON."""
    return one_line(_dumps(value, 0))


def render_line(value: object) -> bytes:
    """As `render_json`, with the newline that ends a line."""
    return one_line(_dumps(value, orjson.OPT_APPEND_NEWLINE))


def one_line(text: bytes) -> bytes:
    """The same JSON, which is one line to every reader."""
    if text.isascii() and b"\r" not in text:
        return text
    for raw, escaped in _BREAKS:
        text = text.replace(raw, escaped)
    return text


def _may_hold_large_integer(data: bytes) -> bool:
    """A cheap scan first: this is asked of every line, and almost none has such an integer."""
    for start in range(0, len(data), _SCANNED_AT_ONCE):
        piece = data[max(0, start - _MANY_DIGITS) : start + _SCANNED_AT_ONCE]
        if _ZEROS in piece.translate(_DIGITS_AS_ZEROS):
            return _LONG_INTEGER.search(data) is not None
    return False


def _parse_exactly(data: bytes) -> Any:
    """By the standard library, which is slower; orjson has already judged the syntax."""
    try:
        return json.loads(data)
    except RecursionError:
        message = "is nested too deeply, with an integer beyond 64 bits in it"
        raise orjson.JSONDecodeError(message, "", 0) from None


def _dumps(value: object, option: int) -> bytes:
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError:
        # Perhaps for a large integer. Any other reason is raised once more.
        return orjson.dumps(_with_large_integers_as_text(value), option=option)


def _with_large_integers_as_text(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and value not in _NATIVE:
        return orjson.Fragment(str(value))
    try:
        if isinstance(value, dict):
            return {key: _with_large_integers_as_text(child) for key, child in value.items()}
        if isinstance(value, list):
            return [_with_large_integers_as_text(child) for child in value]
    except RecursionError:
        raise orjson.JSONEncodeError("is nested too deeply") from None
    return value
