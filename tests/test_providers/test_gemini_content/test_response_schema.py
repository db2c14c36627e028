import json
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


_ORDERED = {
    "propertyOrdering": ["b", "x", 1, "a"],
    "properties": {
        "a": {"type": "array", "items": {"properties": {}, "propertyOrdering": []}},
        "b": {"enum": [{"propertyOrdering": [], "properties": {}}]},
        "propertyOrdering": {"anyOf": [{"propertyOrdering": "b", "properties": {}}]},
    },
    "$defs": {"d": {"propertyOrdering": ["z", "y"], "properties": {"y": True, "z": False}}},
}
_WRITTEN = (
    '{"properties":{"b":{"enum":[{"propertyOrdering":[],"properties":{}}]},'
    '"a":{"type":"array","items":{"properties":{}}},'
    '"propertyOrdering":{"anyOf":[{"propertyOrdering":"b","properties":{}}]}},'
    '"$defs":{"d":{"properties":{"z":false,"y":true}}}}'
)


@pytest.mark.parametrize(
    "config",
    [
        _JSON | {"responseJsonSchema": _ORDERED},
        _JSON | {"_responseJsonSchema": _ORDERED},
        {"responseFormat": {"text": {"mimeType": "APPLICATION_JSON", "schema": _ORDERED}}},
    ],
)
def test_properties_of_a_json_schema_are_in_the_order_that_is_asked_for(
    config: dict[str, Any],
) -> None:
    """Google's description of `responseJsonSchema` names the keyword."""
    before = json.dumps(_ORDERED)
    asked = json_format(config, "config", "Elsewhere")
    assert asked is not None
    assert json.dumps(asked.schema, separators=(",", ":")) == _WRITTEN
    assert json.dumps(_ORDERED) == before


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
