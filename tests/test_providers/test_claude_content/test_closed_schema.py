from contextlib import suppress
from typing import Any

import pytest

from providers.claude_content.closed_schema import closed_answer_schema, closed_schema
from providers.errors import FerryError
from providers.gemini_content.warnings import Warnings

_STRING = {"type": "string"}
_OBJECT = {"type": "object", "properties": {}}
_CLOSED = _OBJECT | {"additionalProperties": False}


def _variant(*kinds: object) -> dict[str, Any]:
    """An object with a member that says what it is."""
    kind = {"const": kinds[0]} if len(kinds) == 1 else {"enum": list(kinds)}
    return {"type": "object", "properties": {"kind": kind}, "required": ["kind"]}


def _close(schema: object) -> dict[str, Any]:
    return closed_schema(schema, "schema", Warnings())


@pytest.mark.parametrize(
    "schema",
    [
        {},
        _CLOSED,
        {"type": ["string", "null"], "title": "t", "description": "d", "default": "a"},
        {"enum": ["a", 1, None]},
        {"const": {"type": "object"}},
        {"type": "string", "pattern": "a+"},
        {"type": "string", "format": "date-time"},
        {"type": "array", "items": _STRING, "minItems": 1},
        {"$defs": {"a": _STRING}, "anyOf": [{"$ref": "#/$defs/a"}], "allOf": [_STRING]},
    ],
)
def test_kept_fields(schema: dict[str, Any]) -> None:
    assert _close(schema) == schema


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        (_OBJECT, _CLOSED),
        ({"properties": {}}, {"properties": {}, "additionalProperties": False}),
        (
            {"type": ["object", "null"], "properties": {"a": _OBJECT}, "required": ["a"]},
            {
                "type": ["object", "null"],
                "properties": {"a": _CLOSED},
                "required": ["a"],
                "additionalProperties": False,
            },
        ),
        ({"type": "array", "items": _OBJECT}, {"type": "array", "items": _CLOSED}),
        ({"anyOf": [_OBJECT, _STRING]}, {"anyOf": [_CLOSED, _STRING]}),
        ({"allOf": [_OBJECT]}, {"allOf": [_CLOSED]}),
        ({"$defs": {"a": _OBJECT}}, {"$defs": {"a": _CLOSED}}),
    ],
)
def test_every_object_is_closed(schema: dict[str, Any], closed: dict[str, Any]) -> None:
    assert _close(schema) == closed


def test_annotations_are_dropped() -> None:
    warnings = Warnings()
    schema = {"$schema": "s", "$comment": "c", "anyOf": [_STRING | {"examples": ["a"]}]}
    assert closed_schema(schema, "schema", warnings) == {"anyOf": [_STRING]}
    assert warnings.render() == (
        "schema[%22$schema%22];count=1, schema[%22$comment%22];count=1, "
        "schema.anyOf[*].examples;count=1"
    )


@pytest.mark.parametrize("anything", [True, {}])
def test_an_open_object_is_closed_like_one_that_does_not_say(anything: object) -> None:
    """Genkit writes `additionalProperties: true` into each object."""
    warnings = Warnings()
    inner = _OBJECT | {"additionalProperties": anything}
    schema = {"type": "object", "properties": {"a": inner}, "additionalProperties": anything}
    assert closed_schema(schema, "schema", warnings) == {
        "type": "object",
        "properties": {"a": _CLOSED},
        "additionalProperties": False,
    }
    assert warnings.render() == (
        "schema.properties.a.additionalProperties;count=1, schema.additionalProperties;count=1"
    )


def test_bounds_that_each_exact_integer_keeps_are_dropped() -> None:
    warnings = Warnings()
    schema = {"type": "integer", "minimum": -(2**53) + 1, "maximum": 2**53 - 1}
    assert closed_schema(schema, "schema", warnings) == {"type": "integer"}
    assert warnings.render() == "schema.minimum;count=1, schema.maximum;count=1"


def test_one_of_schemas_that_exclude_each_other_is_any_of_them() -> None:
    schemas = [_variant("a"), _variant("b", "c")]
    closed = [schema | {"additionalProperties": False} for schema in schemas]
    assert _close({"oneOf": schemas, "title": "t"}) == {"anyOf": closed, "title": "t"}


@pytest.mark.parametrize("types", ["integer", "number", ["integer", "null"]])
@pytest.mark.parametrize("stored_as", ["int32", "int64", "float", "double"])
def test_the_format_of_a_number_is_dropped(types: object, stored_as: str) -> None:
    warnings = Warnings()
    assert closed_schema({"type": types, "format": stored_as}, "schema", warnings) == {
        "type": types
    }
    assert warnings.render() == "schema.format;count=1"


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        (True, "schema"),
        ({"type": "string", "format": "int32"}, "schema.format"),
        ({"type": ["integer", "string"], "format": "int32"}, "schema.format"),
        ({"type": [], "format": "int32"}, "schema.format"),
        ({"type": [{}], "format": "int32"}, "schema.format"),
        ({"type": "integer", "format": "date-times"}, "schema.format"),
        ({"items": False}, "schema.items"),
        ({"items": {"minimum": 1}}, "schema.items.minimum"),
        ({"properties": {"a b": {"maxLength": 1}}}, 'schema.properties["a b"].maxLength'),
        ({"anyOf": [_STRING, {"minItems": 2}]}, "schema.anyOf[1].minItems"),
        ({"$defs": {"a": {"oneOf": []}}}, 'schema["$defs"].a.oneOf'),
        ({"format": "int32"}, "schema.format"),
        ({"properties": []}, "schema.properties"),
        ({"anyOf": {}}, "schema.anyOf"),
        ({"type": "object"}, "schema"),
        ({"type": ["object", "null"]}, "schema"),
        (_OBJECT | {"additionalProperties": 1}, "schema.additionalProperties"),
        ({"type": "object", "additionalProperties": True}, "schema"),
        ({"type": "integer", "minimum": -(2**53)}, "schema.minimum"),
        ({"type": "number", "maximum": 2**53 - 1}, "schema.maximum"),
        ({"oneOf": [_variant("a"), _variant("a")]}, "schema.oneOf"),
        ({"oneOf": [_variant("a"), _variant("b") | {"required": []}]}, "schema.oneOf"),
        ({"oneOf": [_variant("a"), _OBJECT]}, "schema.oneOf"),
        ({"oneOf": [_STRING, {"type": "number"}]}, "schema.oneOf"),
        ({"oneOf": [_variant("a")], "anyOf": [_STRING]}, "schema.oneOf"),
        (_OBJECT | {"additionalProperties": _STRING}, "schema.additionalProperties"),
        (_OBJECT | {"additionalProperties": 0}, "schema.additionalProperties"),
        (_OBJECT | {"patternProperties": {}}, "schema.patternProperties"),
    ],
)
def test_schemas_that_anthropic_cannot_enforce(schema: object, path: str) -> None:
    with pytest.raises(FerryError) as refused:
        _close(schema)
    assert refused.value.path == path


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (
            _OBJECT | {"additionalProperties": _STRING},
            "must be false: Anthropic takes only objects whose members are all in properties",
        ),
        (
            _STRING | {"maxLength": 1},
            "Anthropic cannot enforce this keyword; leave it out, or say it in the description",
        ),
    ],
)
def test_a_refusal_says_what_would_be_right(schema: object, message: str) -> None:
    with pytest.raises(FerryError) as refused:
        _close(schema)
    assert refused.value.message.endswith(f": {message}")


@pytest.mark.parametrize("value", [{}, [], [{}], 5, None], ids=str)
@pytest.mark.parametrize("keyword", ["format", "minItems", "minimum", "type", "pattern"])
def test_a_keyword_with_any_value_is_kept_or_refused(keyword: str, value: object) -> None:
    with suppress(FerryError):
        assert _close({keyword: value}) == {keyword: value}


def test_an_answer_in_any_json_is_refused() -> None:
    """Without a word about the answer there is nothing to enforce."""
    config = {"responseMimeType": "application/json", "responseJsonSchema": {}}
    with pytest.raises(FerryError, match=r"^c.responseJsonSchema: Bedrock answers in JSON only"):
        closed_answer_schema(config, "c", Warnings(), "Bedrock")
