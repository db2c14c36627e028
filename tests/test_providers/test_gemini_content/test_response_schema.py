from typing import Any

import pytest

from providers.errors import FerryError
from providers.gemini_content.response_schema import JsonFormat, json_format

_JSON = {"responseMimeType": "application/json"}


@pytest.mark.parametrize(
    ("config", "asked"),
    [
        ({}, None),
        (_JSON, JsonFormat(None, "config.responseMimeType")),
        (
            _JSON | {"responseSchema": {"type": "STRING"}},
            JsonFormat({"type": "string"}, "config.responseSchema"),
        ),
        (
            _JSON | {"responseJsonSchema": {"type": "STRING"}},
            JsonFormat({"type": "STRING"}, "config.responseJsonSchema"),
        ),
    ],
)
def test_the_requested_json_format(config: dict[str, Any], asked: JsonFormat | None) -> None:
    assert json_format(config, "config", "Elsewhere") == asked


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"responseMimeType": "text/x.enum"}, "responseMimeType"),
        ({"responseSchema": {}}, "responseSchema"),
        ({"responseJsonSchema": {}}, "responseJsonSchema"),
        (_JSON | {"responseSchema": {}, "responseJsonSchema": {}}, "responseJsonSchema"),
        (_JSON | {"responseSchema": {"type": "odd"}}, "responseSchema.type"),
    ],
)
def test_refused_values(config: dict[str, Any], field: str) -> None:
    with pytest.raises(FerryError) as refused:
        json_format(config, "config", "Elsewhere")
    assert refused.value.path == f"config.{field}"


def test_an_enum_as_text_is_refused_with_what_would_be_right() -> None:
    with pytest.raises(FerryError) as refused:
        json_format({"responseMimeType": "text/x.enum"}, "config", "Elsewhere")
    assert refused.value.message.endswith(
        "Elsewhere answers in text/plain or application/json; for an enum, give application/json "
        "and the enum in a schema"
    )
