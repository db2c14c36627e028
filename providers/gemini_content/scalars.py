"""Reads the scalar values of a Gemini request, exactly as proto3 JSON allows them."""

import binascii
import math
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from providers.errors import FerryError, invalid_argument
from providers.gemini_content.nesting import nested_too_deep
from providers.gemini_content.schema import Scalar

_INT64_TEXT: Final = re.compile(r"-?[0-9]{1,19}\Z")
_INT64: Final = range(-(2**63), 2**63)
_TO_STANDARD_BASE64: Final = str.maketrans("-_", "+/")


def read_scalar(value: Any, kind: Scalar, path: str) -> Any:
    """`value` in its one normal form; INVALID_ARGUMENT at `path` if it is not of `kind`."""
    return _READERS[kind](value, path)


def wrong_type(kind: Scalar, path: str) -> FerryError:
    return invalid_argument(f"must be {kind.value}", path=path)


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise wrong_type(Scalar.STRING, path)
    return value


def _number(value: Any, path: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(Scalar.NUMBER, path)
    if isinstance(value, float) and not math.isfinite(value):
        raise wrong_type(Scalar.NUMBER, path)
    return value


def _integer(value: Any, path: str) -> int:
    if isinstance(value, str) and _INT64_TEXT.match(value):
        value = int(value)  # proto3 JSON writes an int64 as a string
    elif isinstance(value, float) and value.is_integer():
        value = int(value)  # the Python SDK sends topK as 3.0 (sdk-wire.md section 4)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(Scalar.INTEGER, path)
    if value not in _INT64:
        raise invalid_argument("must be a signed 64-bit integer", path=path)
    return value


def _boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise wrong_type(Scalar.BOOLEAN, path)
    return value


def _enum(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise wrong_type(Scalar.ENUM, path)
    return value.upper()


def _bytes(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise wrong_type(Scalar.BYTES, path)
    # The Python SDK writes the URL-safe alphabet; the providers read the standard one.
    text = value.rstrip("=").translate(_TO_STANDARD_BASE64)
    try:
        decoded = binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        raise wrong_type(Scalar.BYTES, path) from None
    return b64encode(decoded).decode("ascii")


def _any(value: Any, path: str) -> Any:
    if nested_too_deep(value):
        raise too_deep(path)
    return value


def _free_map(value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise wrong_type(Scalar.FREE_MAP, path)
    return _any(value, path)


def too_deep(path: str) -> FerryError:
    return invalid_argument("is nested too deeply", path=path)


_READERS: Final[Mapping[Scalar, Callable[[Any, str], Any]]] = {
    Scalar.STRING: _string,
    Scalar.NUMBER: _number,
    Scalar.INTEGER: _integer,
    Scalar.BOOLEAN: _boolean,
    Scalar.ENUM: _enum,
    Scalar.BYTES: _bytes,
    Scalar.ANY: _any,
    Scalar.FREE_MAP: _free_map,
}
