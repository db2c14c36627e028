from typing import Any

import pytest

from providers.errors import FerryError
from providers.gemini_content.json_schema import (
    ObjectRoot,
    of_an_object,
    plain_root,
    to_json_schema,
)


@pytest.mark.parametrize(
    ("gemini", "json_schema"),
    [
        ({}, {}),
        ({"type": "STRING"}, {"type": "string"}),
        ({"type": "object"}, {"type": "object"}),
        ({"type": "STRING", "format": "enum", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"type": "STRING", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "INTEGER", "enum": ["1", "2"]}, {"type": "integer", "enum": [1, 2]}),
        ({"type": "NUMBER", "enum": ["0.5"]}, {"type": "number", "enum": [0.5]}),
        ({"type": "BOOLEAN", "enum": ["true"]}, {"type": "boolean", "enum": [True]}),
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "NULL", "nullable": True}, {"type": "null"}),
        ({"nullable": True, "title": "t"}, {"title": "t"}),
        (
            {"type": "STRING", "enum": ["a"], "nullable": True, "description": "d"},
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}], "description": "d"},
        ),
        (
            {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}], "nullable": True},
            {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
        ),
        (
            {"type": "ARRAY", "items": {"type": "STRING"}, "minItems": 1, "maxItems": 2},
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
        ),
        (
            {"type": "STRING", "minLength": 1, "maxLength": 2, "pattern": "."},
            {"type": "string", "minLength": 1, "maxLength": 2, "pattern": "."},
        ),
        (
            {"type": "NUMBER", "minimum": 0, "maximum": 0.5, "default": 0},
            {"type": "number", "minimum": 0, "maximum": 0.5, "default": 0},
        ),
        ({"type": "STRING", "example": "e"}, {"type": "string", "examples": ["e"]}),
        (
            {
                "type": "OBJECT",
                "properties": {"a_b": {"type": "STRING"}},
                "required": ["a_b"],
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {"a_b": {"type": "string"}},
                "required": ["a_b"],
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
            },
        ),
        (
            {"type": "OBJECT", "additionalProperties": {"type": "STRING", "nullable": True}},
            {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        ),
    ],
)
def test_schemas(gemini: dict[str, Any], json_schema: dict[str, Any]) -> None:
    assert to_json_schema(gemini, "schema") == json_schema


def test_the_ordering_of_properties_is_their_order() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {name: {"type": "STRING"} for name in "abc"},
        "propertyOrdering": ["c", "unknown", "a"],
    }
    assert list(to_json_schema(schema, "")["properties"]) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"type": "TYPE_UNSPECIFIED"}, "schema.type"),
        ({"type": "tuple"}, "schema.type"),
        ({"items": {"type": "tuple"}}, "schema.items.type"),
        ({"anyOf": [{}, {"type": "tuple"}]}, "schema.anyOf[1].type"),
        ({"properties": {"a b": {"type": "tuple"}}}, 'schema.properties["a b"].type'),
        ({"additionalProperties": {"type": "tuple"}}, "schema.additionalProperties.type"),
        ({"type": "INTEGER", "enum": ["1", "one"]}, "schema.enum[1]"),
        ({"type": "NUMBER", "enum": ["true"]}, "schema.enum[0]"),
        ({"type": "BOOLEAN", "enum": ["true", "1"]}, "schema.enum[1]"),
    ],
)
def test_an_invalid_schema_is_refused_at_its_path(schema: dict[str, Any], path: str) -> None:
    with pytest.raises(FerryError) as refused:
        to_json_schema(schema, "schema")
    assert refused.value.path == path


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
    assert refused.value.message.endswith("; put it into a property of an object")


def test_without_excluded_keywords_only_the_type_is_checked() -> None:
    ObjectRoot("Elsewhere")({"type": "object", "anyOf": [{"required": ["a"]}]}, "schema")


_TREE: Any = {
    "type": "object",
    "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
}


@pytest.mark.parametrize(
    ("schema", "plain"),
    [
        # As Pydantic and zod-to-json-schema write a type that contains itself.
        (
            {"$defs": {"Tree": _TREE}, "$ref": "#/$defs/Tree"},
            {"$defs": {"Tree": _TREE}, **_TREE},
        ),
        (
            {"$ref": "#/definitions/T", "definitions": {"T": _TREE}, "$schema": "s"},
            {"definitions": {"T": _TREE}, "$schema": "s", **_TREE},
        ),
    ],
)
def test_a_reference_at_the_root_is_resolved(schema: Any, plain: Any) -> None:
    assert plain_root(schema) == plain


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"$ref": "https://example.com/tree"},
        {"$ref": "#"},
        {"$ref": ["#/$defs/T"], "$defs": {"T": {}}},
        {"$ref": "#/$defs/T"},
        {"$ref": "#/$defs/T", "$defs": {"T": True}},
        {"$ref": "#/$defs/T", "$defs": {"T": {"$ref": "#/$defs/T"}}},
        # Both would have to hold.
        {"$ref": "#/$defs/T", "$defs": {"T": {"required": ["a"]}}, "required": ["b"]},
    ],
)
def test_any_other_root_is_left_as_it_is(schema: Any) -> None:
    assert plain_root(schema) is schema


_A: dict[str, Any] = {"properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({}, {"type": "object", "properties": {}}),
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({"$schema": "s", "title": "t"}, {"type": "object", "properties": {}}),
        (_A, {"type": "object"}),
        (_A | {"type": ["object", "null"]}, {"type": "object"}),
        # Its members are declared in another way, or are free.
        ({"anyOf": [_A]}, {"type": "object"}),
        ({"type": "object", "additionalProperties": {}}, {}),
        ({"type": "object", "patternProperties": {"a": {}}}, {}),
        ({"type": "string"}, {}),
        ({"type": ["string", "null"]}, {}),
        ({"$ref": "#/$defs/b", "$defs": {}}, {}),
    ],
)
def test_arguments_are_an_object(schema: dict[str, Any], said: dict[str, Any]) -> None:
    assert of_an_object(schema) == schema | said
