from typing import Any

import pytest

from providers.errors import FerryError
from providers.gemini_content.root_schema import ObjectRoot


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}]}}},
        {"type": "object", "properties": {"anyOf": {"type": "string"}}},
    ],
)
def test_an_object_is_accepted(schema: dict[str, Any]) -> None:
    ObjectRoot("Elsewhere", ("anyOf",))(schema, "schema")


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({}, "type"),
        ({"type": "array", "items": {"type": "object"}}, "type"),
        ({"type": "string", "enum": ["a"]}, "type"),
        ({"type": ["object", "null"]}, "type"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}, "type"),
        ({"properties": {"a": {"type": "string"}}}, "type"),
        ({"anyOf": [{"type": "object"}]}, "anyOf"),
        ({"type": "object", "anyOf": [{"required": ["a"]}]}, "anyOf"),
        ({"type": "object", "enum": [{}]}, "enum"),
    ],
)
def test_an_unsupported_root_is_refused(schema: dict[str, Any], field: str) -> None:
    with pytest.raises(FerryError) as refused:
        ObjectRoot("Elsewhere", ("anyOf", "enum"))(schema, "schema")
    assert refused.value.path == f"schema.{field}"
    assert "Elsewhere" in refused.value.message


def test_without_excluded_keywords_only_the_type_is_checked() -> None:
    ObjectRoot("Elsewhere")({"type": "object", "anyOf": [{"required": ["a"]}]}, "schema")
