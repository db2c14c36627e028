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
