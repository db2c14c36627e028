"""Gemini's Schema -> JSON Schema, and what providers require of it (translation.md section 2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from providers.errors import FerryError, invalid_argument
from providers.gemini_content.json_path import item, member
from providers.json_api.json_text import parse_json

_TYPES: Final[Mapping[str, str]] = {
    "STRING": "string",
    "NUMBER": "number",
    "INTEGER": "integer",
    "BOOLEAN": "boolean",
    "ARRAY": "array",
    "OBJECT": "object",
    "NULL": "null",
}

# Fields with the same name and meaning in both.
_SAME: Final = (
    "title",
    "description",
    "default",
    "minItems",
    "maxItems",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
)

_PARSED_ENUMS: Final[Mapping[str, tuple[type, ...]]] = {
    "INTEGER": (int, float),
    "NUMBER": (int, float),
    "BOOLEAN": (bool,),
}
_NULL: Final = {"type": "null"}
_ORDER: Final = "propertyOrdering"
# The keywords of JSON Schema whose values are schemas, or lists or objects of them.
_SCHEMAS: Final = frozenset(
    {"items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf", "not"}
)
_NAMED_SCHEMAS: Final = frozenset({"properties", "$defs", "definitions"})
# An object with only these keywords says nothing about its members.
_NOTHING_OF_MEMBERS: Final = frozenset({"type", "title", "description", "$schema", "$id"})
# Gemini's API refuses both in a Schema; JSON Schema has them as $defs and $ref.
_REFERENCES: Final = ("defs", "ref")


def to_json_schema(schema: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Translate the normalised Schema at `path`.

    `propertyOrdering` becomes the order of `properties`, because models write them in that order.
    Raises INVALID_ARGUMENT for a reference, and for an unknown type or enum value.
    """
    for field in _REFERENCES:
        if field in schema:
            raise invalid_argument(
                "references are not supported in a Schema; give a JSON Schema with $defs, $ref",
                path=member(path, field),
            )
    translated: dict[str, Any] = {}
    if "type" in schema:
        translated["type"] = _type(schema["type"], member(path, "type"))
    if "enum" in schema:
        translated["enum"] = _enum(schema, path)
    if schema.get("format", "enum") != "enum":
        translated["format"] = schema["format"]
    translated |= {field: schema[field] for field in _SAME if field in schema}
    if "example" in schema:
        translated["examples"] = [schema["example"]]
    translated |= _subschemas(schema, path)
    return _nullable(translated) if schema.get("nullable") else translated


def in_property_order(schema: Any) -> Any:
    """A JSON Schema with its properties in the order of Gemini's `propertyOrdering`, without that.

    Google accepts it in a JSON Schema too. A value that is no list of names stays as it is.
    """
    return with_each_schema(schema, _ordered)


def with_each_schema(schema: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """The JSON Schema after `change` of it and of every schema inside it."""
    if isinstance(schema, list):
        return [with_each_schema(each, change) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return change({keyword: _inner(keyword, value, change) for keyword, value in schema.items()})


def _ordered(ordered: dict[str, Any]) -> dict[str, Any]:
    names, properties = ordered.get(_ORDER), ordered.get("properties")
    if not isinstance(names, list) or not isinstance(properties, dict):
        return ordered
    del ordered[_ORDER]
    first = [name for name in names if isinstance(name, str) and name in properties]
    in_order = {name: properties[name] for name in dict.fromkeys([*first, *properties])}
    return ordered | {"properties": in_order}


def _inner(keyword: str, value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if keyword in _NAMED_SCHEMAS and isinstance(value, dict):
        return {name: with_each_schema(each, change) for name, each in value.items()}
    return with_each_schema(value, change) if keyword in _SCHEMAS else value


def _type(name: str, path: str) -> str:
    try:
        return _TYPES[name.upper()]
    except KeyError:
        raise invalid_argument(f"must be one of {', '.join(_TYPES)}", path=path) from None


def _enum(schema: Mapping[str, Any], path: str) -> list[Any]:
    kinds = _PARSED_ENUMS.get(schema.get("type", "").upper())
    if kinds is None:
        return list(schema["enum"])
    return [
        _parse_value(value, kinds, item(member(path, "enum"), index))
        for index, value in enumerate(schema["enum"])
    ]


def _parse_value(text: str, kinds: tuple[type, ...], path: str) -> Any:
    """In a Schema, the values of every enum are strings."""
    try:
        value = parse_json(text)
    except orjson.JSONDecodeError:
        value = None
    if type(value) not in kinds:
        wanted = "true or false" if bool in kinds else "a number"
        raise invalid_argument(f"must be {wanted}, as the schema's type says", path=path)
    return value


def _subschemas(schema: Mapping[str, Any], path: str) -> dict[str, Any]:
    translated: dict[str, Any] = {}
    if "items" in schema:
        translated["items"] = to_json_schema(schema["items"], member(path, "items"))
    if "properties" in schema:
        translated["properties"] = _properties(schema, member(path, "properties"))
    if "additionalProperties" in schema:
        further, further_path = schema["additionalProperties"], member(path, "additionalProperties")
        translated["additionalProperties"] = (
            further if isinstance(further, bool) else to_json_schema(further, further_path)
        )
    if "anyOf" in schema:
        translated["anyOf"] = [
            to_json_schema(choice, item(member(path, "anyOf"), index))
            for index, choice in enumerate(schema["anyOf"])
        ]
    return translated


def _properties(schema: Mapping[str, Any], path: str) -> dict[str, Any]:
    properties = schema["properties"]
    first = [name for name in schema.get(_ORDER, ()) if name in properties]
    return {
        name: to_json_schema(properties[name], member(path, name))
        for name in dict.fromkeys([*first, *properties])
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in schema:
        return schema | {"anyOf": [*schema["anyOf"], _NULL]}
    if "enum" in schema:
        # With type [T, "null"] null would still have to be one of the enum's values.
        outside = {k: schema[k] for k in ("title", "description", "default") if k in schema}
        inside = {k: v for k, v in schema.items() if k not in outside}
        return {"anyOf": [inside, _NULL]} | outside
    if "type" in schema and schema["type"] != "null":
        return schema | {"type": [schema["type"], "null"]}
    return schema


def of_an_object(schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a function's parameters, with a type and properties.

    Arguments are always an object, which has no members if none are declared. Servers of tools
    leave out the type, the properties, or both, and providers require them (openai.md section 7).
    """
    types = schema.get("type")
    if isinstance(types, list) and "object" in types:
        schema = schema | {"type": "object"}
    elif types is None and "$ref" not in schema:
        schema = {"type": "object", **schema}
    plain = schema.get("type") == "object" and schema.keys() <= _NOTHING_OF_MEMBERS
    return schema | {"properties": {}} if plain else schema


def plain_root(schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema with what its root refers to in the place of the reference, if it can be.

    Libraries write such a root for a type that contains itself. The meaning stays the same.
    """
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    target: object = schema
    for step in reference.removeprefix("#/").split("/"):
        target = target.get(step) if isinstance(target, dict) else None
    beside = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
    if not isinstance(target, dict) or "$ref" in target or target.keys() & beside.keys():
        return schema
    return beside | target


@dataclass(frozen=True, slots=True)
class ObjectRoot:
    """The root must have `"type": "object"` and no keyword in `without`.

    The proxy never wraps a schema to fit.
    Unverified: whether any provider takes a list of types (`["object", "null"]`) or a `$ref`
    without a type at the root. Both are refused, except for a `$ref` that `plain_root` resolves.
    """

    provider: str
    without: tuple[str, ...] = ()

    def __call__(self, schema: Mapping[str, Any], path: str) -> None:
        """Raise INVALID_ARGUMENT if the root of the schema at `path` does not fit."""
        needed = f'{self.provider} takes a schema whose root has the type "object"'
        if schema.get("type", "object") != "object":
            raise _wrong_root(needed, member(path, "type"))
        for keyword in self.without:
            if keyword in schema:
                raise _wrong_root(f"{needed} and no {keyword}", member(path, keyword))
        if "type" not in schema:
            raise _wrong_root(needed, member(path, "type"))


def _wrong_root(needed: str, path: str) -> FerryError:
    return invalid_argument(f"{needed}; put it into a property of an object", path=path)
