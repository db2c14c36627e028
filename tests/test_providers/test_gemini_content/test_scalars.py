import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.gemini_content.scalars import read_scalar
from providers.gemini_content.schema import Scalar


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (Scalar.STRING, "", ""),
        (Scalar.NUMBER, 0, 0),
        (Scalar.NUMBER, 0.5, 0.5),
        (Scalar.INTEGER, 3.0, 3),
        (Scalar.INTEGER, "3", 3),
        (Scalar.INTEGER, "-9223372036854775808", -(2**63)),
        (Scalar.INTEGER, 2**63 - 1, 2**63 - 1),
        (Scalar.BOOLEAN, False, False),
        (Scalar.ENUM, "block_none", "BLOCK_NONE"),
        (Scalar.BYTES, "", ""),
        (Scalar.BYTES, "__79-w==", "//79+w=="),
        (Scalar.BYTES, "__79-w", "//79+w=="),
        (Scalar.BYTES, "//79+w==", "//79+w=="),
        (Scalar.ANY, [1, {"snake_case": None}], [1, {"snake_case": None}]),
        (Scalar.FREE_MAP, {"snake_case": None}, {"snake_case": None}),
    ],
)
def test_one_normal_form(kind: Scalar, value: Any, read: Any) -> None:
    result = read_scalar(value, kind, "field")
    assert result == read
    assert type(result) is type(read)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Scalar.STRING, 1),
        (Scalar.STRING, ["text"]),
        (Scalar.NUMBER, "0.5"),
        (Scalar.NUMBER, True),
        (Scalar.NUMBER, float("nan")),
        (Scalar.NUMBER, float("inf")),
        (Scalar.INTEGER, 3.5),
        (Scalar.INTEGER, "3.0"),
        (Scalar.INTEGER, "٣"),
        (Scalar.INTEGER, "9" * 5000),
        (Scalar.INTEGER, float("inf")),
        (Scalar.INTEGER, True),
        (Scalar.BOOLEAN, 0),
        (Scalar.BOOLEAN, "true"),
        (Scalar.ENUM, 3),
        (Scalar.BYTES, "a"),
        (Scalar.BYTES, "ab c"),
        (Scalar.BYTES, "ab\n"),
        (Scalar.BYTES, "ab==cd=="),
        (Scalar.BYTES, "é"),
        (Scalar.BYTES, 1),
        (Scalar.FREE_MAP, []),
    ],
)
def test_a_wrong_type_is_refused_at_its_path(kind: Scalar, value: Any) -> None:
    with pytest.raises(FerryError, match=f"^a.b: must be {kind.value}$") as refused:
        read_scalar(value, kind, "a.b")
    assert refused.value.path == "a.b"


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, str(2**63), 1e300])
def test_an_integer_that_is_too_large_is_named_as_such(value: Any) -> None:
    with pytest.raises(FerryError, match=r"^a\.b: must be a signed 64-bit integer"):
        read_scalar(value, Scalar.INTEGER, "a.b")


@settings(deadline=None)
@given(st.binary(), st.booleans(), st.booleans())
def test_every_spelling_of_base64_is_the_standard_one(
    data: bytes, url_safe: bool, padded: bool
) -> None:
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    text = encode(data).decode()
    read = read_scalar(text if padded else text.rstrip("="), Scalar.BYTES, "data")
    assert read == base64.b64encode(data).decode()
