"""OpenAI's rule for the root of a schema; other servers of its kind get any schema unchanged."""

from typing import Any

import pytest

from providers.openai_content.root_schema import any_schema
from tests.test_providers.test_openai_content.translate import refusal, translate

_STRING: dict[str, Any] = {"type": "string"}
_OBJECT: dict[str, Any] = {"type": "object", "properties": {"a": _STRING}}
_ROOTS: list[tuple[dict[str, Any], str]] = [
    ({"type": "array", "items": _OBJECT}, "type"),
    (_STRING, "type"),
    (_STRING | {"enum": ["a", "b"]}, "type"),
    ({"anyOf": [_OBJECT, {"type": "object"}]}, "anyOf"),
    (_OBJECT | {"anyOf": [{"required": ["a"]}]}, "anyOf"),
    (_OBJECT | {"oneOf": [{"required": ["a"]}]}, "oneOf"),
    (_OBJECT | {"allOf": [{"required": ["a"]}]}, "allOf"),
    (_OBJECT | {"not": {"required": ["b"]}}, "not"),
    ({"$ref": "#/$defs/a", "$defs": {"a": _OBJECT}}, "type"),
    ({}, "type"),
]
_FIRST = "tools[0].functionDeclarations[0]"


def _answer(schema: dict[str, Any], field: str = "responseJsonSchema") -> dict[str, Any]:
    return {"generationConfig": {"responseMimeType": "application/json", field: schema}}


def _function(schema: dict[str, Any], field: str = "parametersJsonSchema") -> dict[str, Any]:
    return {"tools": [{"functionDeclarations": [{"name": "f", field: schema}]}]}


@pytest.mark.parametrize(("schema", "field"), _ROOTS)
def test_openai_gets_only_objects(schema: dict[str, Any], field: str) -> None:
    answer = refusal(**_answer(schema))
    assert answer.path == f"request.generationConfig.responseJsonSchema.{field}"
    assert refusal(**_function(schema)).path == f"request.{_FIRST}.parametersJsonSchema.{field}"


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"type": "ARRAY", "items": {"type": "STRING"}}, "type"),
        ({"type": "STRING", "enum": ["a"]}, "type"),
        ({"type": "OBJECT", "nullable": True}, "type"),
        ({"anyOf": [{"type": "OBJECT"}, {"type": "STRING"}]}, "anyOf"),
    ],
)
def test_schemas_in_geminis_form(schema: dict[str, Any], field: str) -> None:
    answer = refusal(**_answer(schema, "responseSchema"))
    assert answer.path == f"request.generationConfig.responseSchema.{field}"
    assert refusal(**_function(schema, "parameters")).path == f"request.{_FIRST}.parameters.{field}"


@pytest.mark.parametrize("schema", [schema for schema, _ in _ROOTS])
def test_another_server_gets_the_schema_unchanged(schema: dict[str, Any]) -> None:
    body, _ = translate(_answer(schema) | _function(schema), any_schema)
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert body["tools"][0]["function"]["parameters"] == schema
