from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.openai.dialect import HOSTED_DIALECT, OPENAI_DIALECT
from providers.openai_content.dialect import Dialect
from providers.openai_content.schema_rules import allows_strict
from tests.test_providers.test_openai_content.translate import chat, refusal, translate


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


# The root of a schema; other servers of OpenAI's kind get any schema unchanged.

_TEXT: dict[str, Any] = {"type": "string"}
_OBJECT: dict[str, Any] = {"type": "object", "properties": {"a": _TEXT}}
_ROOTS: list[tuple[dict[str, Any], str]] = [
    ({"type": "array", "items": _OBJECT}, "type"),
    (_TEXT, "type"),
    (_TEXT | {"enum": ["a", "b"]}, "type"),
    ({"anyOf": [_OBJECT, {"type": "object"}]}, "anyOf"),
    (_OBJECT | {"anyOf": [{"required": ["a"]}]}, "anyOf"),
    (_OBJECT | {"oneOf": [{"required": ["a"]}]}, "oneOf"),
    (_OBJECT | {"allOf": [{"required": ["a"]}]}, "allOf"),
    (_OBJECT | {"not": {"required": ["b"]}}, "not"),
    ({"$ref": "#/$defs/b", "$defs": {"a": _OBJECT}}, "type"),
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
        ({"anyOf": [{"type": "OBJECT"}, {"type": "STRING"}]}, "anyOf"),
    ],
)
def test_schemas_in_geminis_form(schema: dict[str, Any], field: str) -> None:
    answer = refusal(**_answer(schema, "responseSchema"))
    assert answer.path == f"request.generationConfig.responseSchema.{field}"
    assert refusal(**_function(schema, "parameters")).path == f"request.{_FIRST}.parameters.{field}"


def test_a_root_that_refers_to_an_object_is_that_object() -> None:
    defined = {"$defs": {"a": _OBJECT}}
    schema = {"$ref": "#/$defs/a", **defined}
    body = chat(**_answer(schema), **_function(schema))
    assert body["response_format"]["json_schema"]["schema"] == defined | _OBJECT
    assert body["tools"][0]["function"]["parameters"] == defined | _OBJECT


@pytest.mark.parametrize("schema", [schema for schema, _ in _ROOTS])
def test_another_server_gets_the_schema_unchanged(schema: dict[str, Any]) -> None:
    body, _ = translate(_answer(schema) | _function(schema), HOSTED_DIALECT)
    assert body["response_format"]["json_schema"]["schema"] == schema
    # The arguments of a function are an object.
    assert {"type": "object"} | body["tools"][0]["function"]["parameters"] == (
        {"type": "object"} | schema
    )


def test_an_answer_needs_a_type_at_the_root() -> None:
    schemas: list[dict[str, Any]] = [{}, {"properties": {}}, {"type": ["object", "null"]}]
    for schema in schemas:
        answer = refusal(**_answer(schema))
        assert answer.path == "request.generationConfig.responseJsonSchema.type"


@pytest.mark.parametrize("dialect", [OPENAI_DIALECT, HOSTED_DIALECT])
def test_every_array_has_items(dialect: Dialect) -> None:
    """OpenAI refuses one without: "array schema missing items"."""
    inner = [
        {"type": "array"},
        {"type": ["string", "array"]},
        {"type": "array", "items": {"type": "array"}},
        {"anyOf": [{"type": "array"}, {"type": "null"}]},
        {"type": "object", "additionalProperties": {"type": "array"}},
    ]
    filled = [
        {"type": "array", "items": {}},
        {"type": ["string", "array"], "items": {}},
        {"type": "array", "items": {"type": "array", "items": {}}},
        {"anyOf": [{"type": "array", "items": {}}, {"type": "null"}]},
        {"type": "object", "additionalProperties": {"type": "array", "items": {}}},
    ]
    for before, after in zip(inner, filled, strict=True):
        schema = {"type": "object", "properties": {"a": before, "type": {"type": "string"}}}
        body, warnings = translate(_answer(schema) | _function(schema), dialect)
        wanted = {"type": "object", "properties": {"a": after, "type": {"type": "string"}}}
        assert body["tools"][0]["function"]["parameters"] == wanted
        assert body["response_format"]["json_schema"]["schema"] == wanted
        assert not warnings


def test_an_array_without_items_is_not_strict() -> None:
    schema = _object(a={"type": "array"})
    format_of = chat(**_answer(schema))["response_format"]["json_schema"]
    assert format_of["strict"] is False


@pytest.mark.parametrize(
    "schema",
    [{}, {"type": "object"}, {"description": "d"}, {"type": ["object", "null"], "title": "t"}],
)
def test_a_function_without_parameters_has_no_properties(schema: dict[str, Any]) -> None:
    """OpenAI refuses it otherwise: "object schema missing properties"."""
    for dialect in (OPENAI_DIALECT, HOSTED_DIALECT):
        body, _ = translate(_function(schema), dialect)
        parameters = body["tools"][0]["function"]["parameters"]
        assert parameters == schema | {"type": "object", "properties": {}}


def test_openai_gets_properties_beside_free_members() -> None:
    free = {"type": "object", "additionalProperties": True}
    assert chat(**_function(free))["tools"][0]["function"]["parameters"] == free | {
        "properties": {}
    }
    body, _ = translate(_function(free), HOSTED_DIALECT)
    assert body["tools"][0]["function"]["parameters"] == free
