from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.openai_content.strict_schema import allows_strict


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_STRING = {"type": "string", "description": "d", "title": "t", "pattern": "."}


@pytest.mark.parametrize(
    "schema",
    [
        _object(),
        _object(a=_STRING),
        _object(a={"type": ["string", "null"]}, b={"type": "integer", "minimum": 1}),
        _object(a={"type": "string", "format": "date-time"}),
        _object(a={"type": "array", "items": _object(b=_STRING), "minItems": 1}),
        _object(a={"anyOf": [_STRING, {"type": "null"}]}),
        _object(a=_object(b={"type": "string", "enum": ["c"]})),
        _object(a={"$ref": "#/$defs/B"}) | {"$defs": {"B": _object(b=_STRING)}},
    ],
)
def test_schemas_that_openai_enforces(schema: dict[str, Any]) -> None:
    assert allows_strict(schema)


_deep: dict[str, Any] = _STRING
for _ in range(20):
    _deep = _object(a=_deep)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "array", "items": _STRING},
        {"type": "object"},
        {"anyOf": [_object()]},
        _object() | {"anyOf": [_object()]},
        _object(a=_STRING) | {"required": []},
        _object(a=_STRING) | {"required": ["a", "b"]},
        _object(a=_STRING) | {"required": "a"},
        _object(a=_STRING) | {"additionalProperties": True},
        _object(a=_STRING) | {"properties": []},
        _object(a={}),
        _object(a=True),
        _object(a={"type": "string", "default": "a"}),
        _object(a={"type": "string", "minLength": 1}),
        _object(a={"type": "string", "format": "int32"}),
        _object(a={"type": "string", "format": []}),
        _object(a={"type": "array", "items": [_STRING]}),
        _object(a={"type": "array", "items": {"type": "object"}}),
        _object(a={"anyOf": {"type": "null"}}),
        _object(a={"anyOf": [{"type": "object"}]}),
        _object(a={"type": ["object", "null"]}),
        _object(a={"$ref": "#/$defs/B", "title": "t"}),
        _object(a={"$ref": "https://example.com"}),
        _object(a={"$ref": "#/$defs/B"}) | {"$defs": {"B": {"type": "object"}}},
        _deep,
    ],
)
def test_schemas_that_it_might_refuse(schema: dict[str, Any]) -> None:
    assert not allows_strict(schema)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "string", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "required", "items", "anyOf", "$defs", "$ref", "format", "a"]
            ),
            inner,
            max_size=5,
        )
    ),
)


@settings(deadline=None)
@given(_json)
def test_any_other_value_causes_no_error(inner: Any) -> None:
    assert allows_strict(_object(a=inner)) in (True, False)
