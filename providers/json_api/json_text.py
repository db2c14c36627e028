"""JSON as text: parsing keeps every integer exact, and rendering gives a single line.

orjson silently turns an integer of 2^64 and more, or below -2^63, into a float; here it stays
exact. orjson also writes U+2028, U+2029 and U+0085 raw, where Python's `splitlines` and other
readers cut a line; here they are escaped.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

from providers.errors import invalid_argument
from providers.json_api.lenient_json import strict_json
from providers.json_api.pieces import parse_in_pieces
from providers.json_api.structure import TooComplex, structure_of
from providers.limits import JSON_NODES
from providers.long_work import off_loop_if_long

# Parsing less than this in one call takes a few milliseconds.
_LONG_BYTES: Final = 1 << 20

# The most that is read as JSON that somebody wrote by hand. To rewrite as much takes 30 ms, and no
# other thread runs in that time.
_HAND_WRITTEN_BYTES: Final = 4 << 20
_HAND_WRITTEN_NODES: Final = 5_000

# What orjson reads and writes as an integer.
_NATIVE: Final = range(-(2**63), 2**64)

# An integer outside orjson's range has at least this many digits.
_MANY_DIGITS: Final = 19
_ZEROS: Final = b"0" * _MANY_DIGITS
_DIGITS_AS_ZEROS: Final = bytes.maketrans(b"123456789", b"0" * 9)
_SCANNED_AT_ONCE: Final = 64 << 10
# Many digits after a decimal point are part of a float.
_LONG_INTEGER: Final = re.compile(rb"(?:\A|[:,\[\s])-?[0-9]{19}")

# Some readers end a line at these, although JSON lines end only at line feeds. Unescaped, they can
# be in strings, where an escape means the same. A carriage return can only be between values.
_BREAKS: Final = (
    (b"\r", b" "),
    ("\u0085".encode(), rb"\u0085"),
    ("\u2028".encode(), rb"\u2028"),
    ("\u2029".encode(), rb"\u2029"),
)


def parse_json(text: bytes | str, nodes: int = JSON_NODES) -> Any:
    """The value, with exact integers. Raises orjson.JSONDecodeError, which is a ValueError.

    A number that is too large for a double (309 digits or more) is an error too, and so are more
    than `nodes` objects, lists, strings and names, or more levels or items than the limits.
    """
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    structure_of(data, nodes)
    return parse_own_json(data)


def parse_own_json(data: bytes) -> Any:
    """JSON that the proxy wrote, without limits: what it accepted, it can read again."""
    return parse_in_pieces(data, _parse) if len(data) > _LONG_BYTES else _parse(data)


def _parse(data: bytes) -> Any:
    value = orjson.loads(data)
    if not may_hold_large_integer(data):
        return value
    del value  # so that there are never two
    return _parse_exactly(data)


def parse_clients_json(data: bytes, path: str = "body") -> Any:
    """As `parse_json`, but raises INVALID_ARGUMENT at `path`, and is as lenient as Google."""
    try:
        return parse_json(data)
    except TooComplex as error:
        raise invalid_argument(error.message, path=path) from None
    except orjson.JSONDecodeError as error:
        try:
            return _parse_hand_written(data)
        except orjson.JSONDecodeError:
            raise invalid_argument(f"not JSON: {error}", path=path) from None


def _parse_hand_written(data: bytes) -> Any:
    if len(data) > _HAND_WRITTEN_BYTES:
        raise orjson.JSONDecodeError("is too long", "", 0)
    return parse_json(strict_json(data), _HAND_WRITTEN_NODES)


def parse_clients_object(data: bytes, path: str = "body") -> dict[str, Any]:
    """As `parse_clients_json`, for a JSON object."""
    document = parse_clients_json(data, path)
    if not isinstance(document, dict):
        raise invalid_argument("not a JSON object", path=path)
    return document


def parse_object(data: bytes) -> dict[str, Any] | None:
    """The JSON object; None for any other text."""
    try:
        document = parse_json(data)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


async def parse_answer(data: bytes) -> dict[str, Any] | None:
    """As `parse_object`; a long text is parsed in a thread."""
    return await off_loop_if_long(data, parse_object, data)


def render_json(value: object) -> bytes:
    """`value` in one line. Raises orjson.JSONEncodeError for a value that JSON does not have."""
    return one_line(_dumps(value, 0))


def render_line(value: object) -> bytes:
    """As `render_json`, with a newline at the end."""
    return one_line(_dumps(value, orjson.OPT_APPEND_NEWLINE))


def render_compact(value: object) -> bytes:
    """As `render_json`, in no more memory than the text takes: for JSON that is kept.

    The result of `orjson.dumps` keeps the whole buffer that it was written into (orjson 3.13: 4 KiB
    for a few bytes, 64 KiB for 5,000): the short keys of a batch of 50,000 lines took 200 MiB.
    """
    return bytes(memoryview(render_json(value)))


def one_line(text: bytes) -> bytes:
    """The same JSON, as one line for every reader."""
    if text.isascii() and b"\r" not in text:
        return text
    if len(text) <= _SCANNED_AT_ONCE:
        return _without_breaks(text)
    return b"".join(map(_without_breaks, _slices(text)))


def _slices(text: bytes) -> Iterator[bytes]:
    """Slices of whole characters, so that other threads can run in between."""
    start = 0
    while start < len(text):
        end = start + _SCANNED_AT_ONCE
        while text[end : end + 1] and text[end] & 0xC0 == 0x80:
            end += 1
        yield text[start:end]
        start = end


def _without_breaks(text: bytes) -> bytes:
    for raw, escaped in _BREAKS:
        text = text.replace(raw, escaped)
    return text


def may_hold_large_integer(data: bytes) -> bool:
    """Whether `orjson.loads` may have turned an integer of `data` into a float.

    Begins with a fast scan: this runs on every line, and few lines have such an integer.
    """
    for start in range(0, len(data), _SCANNED_AT_ONCE):
        piece = data[max(0, start - _MANY_DIGITS) : start + _SCANNED_AT_ONCE]
        if _ZEROS in piece.translate(_DIGITS_AS_ZEROS):
            return _LONG_INTEGER.search(data) is not None
    return False


def _parse_exactly(data: bytes) -> Any:
    """Parses with the standard library, which is slower; orjson has checked the syntax."""
    try:
        return json.loads(data)
    except RecursionError:
        message = "is nested too deeply, with an integer beyond 64 bits in it"
        raise orjson.JSONDecodeError(message, "", 0) from None


def _dumps(value: object, option: int) -> bytes:
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError:
        # Perhaps because of a large integer. For any other reason this raises again.
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
