"""Reads the scalar values of a Gemini request, exactly as proto3 JSON allows them."""

import binascii
import math
import re
from base64 import b64encode
from typing import Any, Final

from providers.errors import FerryError, invalid_argument
from providers.gemini_content.schema import Scalar

_INT64_TEXT: Final = re.compile(r"-?[0-9]{1,19}\Z")
_INT64: Final = range(-(2**63), 2**63)
# A multiple of 4. Other threads can run between two slices: 32 MiB at once take 65 ms.
_BASE64_SLICE: Final = 1 << 20
_TO_STANDARD_BASE64: Final = str.maketrans("-_", "+/")


def read_scalar(value: Any, kind: Scalar, path: str) -> Any:
    """`value` in its one normal form; INVALID_ARGUMENT at `path` if it is not of `kind`."""
    match kind, value:
        case (Scalar.STRING, str()) | (Scalar.BOOLEAN, bool()):
            return value
        case (Scalar.ENUM, str()):
            return value.upper()
        case (Scalar.NUMBER, int() | float()) if _is_number(value):
            return value
        case (Scalar.INTEGER, _):
            return _integer(value, path)
        case (Scalar.BYTES, str()):
            return _standard_base64(value, path)
        case (Scalar.ANY, _) | (Scalar.FREE_MAP, dict()):
            return value
    raise wrong_type(kind, path)


def wrong_type(kind: Scalar, path: str) -> FerryError:
    return invalid_argument(f"must be {kind.value}", path=path)


def _is_number(value: float) -> bool:
    return not isinstance(value, bool) and (isinstance(value, int) or math.isfinite(value))


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


def _standard_base64(value: str, path: str) -> str:
    text = value.rstrip("=")
    starts = range(0, len(text), _BASE64_SLICE)
    return "".join(_standard_slice(text[start : start + _BASE64_SLICE], path) for start in starts)


def _standard_slice(text: str, path: str) -> str:
    # The Python SDK writes the URL-safe alphabet; the providers read the standard one.
    standard = text.translate(_TO_STANDARD_BASE64)
    try:
        decoded = binascii.a2b_base64(standard + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        raise wrong_type(Scalar.BYTES, path) from None
    return b64encode(decoded).decode("ascii")
