"""Which JSON Schemas OpenAI accepts, for answers and for parameters, and which as strict ones.

OpenAI refuses `strict: true` with other schemas, so a schema counts as strict only if all of it is
known to be allowed: all properties are required, no others are allowed, and it has only the
keywords that are listed here.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from providers.gemini_content.json_schema import ObjectRoot, with_each_schema

SchemaRule: TypeAlias = Callable[[dict[str, Any], str], dict[str, Any]]
"""The JSON Schema at a path as the server accepts it. Raises INVALID_ARGUMENT if it does not."""

# "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top
# level" (https://github.com/langchain-ai/langchainjs/issues/9804), and "root objects must not be
# anyOf and must be an object" (OpenAI's guide to structured outputs).
_ROOT: Final = ObjectRoot("OpenAI", ("anyOf", "oneOf", "allOf", "enum", "not"))

_KEYWORDS: Final = frozenset(
    {
        "type",
        "title",
        "description",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "anyOf",
        "$defs",
        "pattern",
        "format",
        "multipleOf",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minItems",
        "maxItems",
    }
)
_FORMATS: Final = (
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uuid",
)
_STRICT_LEVELS: Final = 5


def openai_schema(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """With what OpenAI requires and JSON Schema does not (openai.md section 7)."""
    _ROOT(schema, path)
    filled = hosted_schema(schema, path)
    return filled if "properties" in filled else filled | {"properties": {}}


def hosted_schema(schema: dict[str, Any], _path: str) -> dict[str, Any]:
    """For servers that may have OpenAI's models too. They have rules of their own for the root."""
    filled: dict[str, Any] = with_each_schema(schema, _with_items)
    return filled


def _with_items(schema: dict[str, Any]) -> dict[str, Any]:
    types = schema.get("type")
    is_array = types == "array" or (isinstance(types, list) and "array" in types)
    return schema | {"items": {}} if is_array and "items" not in schema else schema


def any_schema(schema: dict[str, Any], _path: str) -> dict[str, Any]:
    """For a server that is not known to refuse any."""
    return schema


def allows_strict(schema: Mapping[str, Any]) -> bool:
    """Whether `schema`, an object at its root, satisfies OpenAI's rules for strict schemas."""
    return schema.get("type") == "object" and "anyOf" not in schema and _strict(schema, 1)


def _strict(schema: object, depth: int) -> bool:
    if not isinstance(schema, dict) or depth > _STRICT_LEVELS:
        return False
    if schema.keys() == {"$ref"}:
        return str(schema["$ref"]).startswith("#")
    if not schema.keys() <= _KEYWORDS or not ("type" in schema or "anyOf" in schema):
        return False
    if "format" in schema and schema["format"] not in _FORMATS:
        return False
    return _strict_object(schema) and all(_strict(inner, depth + 1) for inner in _inner(schema))


def _strict_object(schema: Mapping[str, Any]) -> bool:
    types = schema.get("type")
    if types != "object" and not (isinstance(types, list) and "object" in types):
        return True
    properties, required = schema.get("properties"), schema.get("required")
    return (
        schema.get("additionalProperties") is False
        and isinstance(properties, dict)
        and isinstance(required, list)
        and len(required) == len(properties)
        and all(name in required for name in properties)
    )


def _inner(schema: Mapping[str, Any]) -> Iterator[object]:
    """The schemas inside `schema`, and a None for each member that lacks them."""
    for field in ("properties", "$defs"):
        named = schema.get(field, {})
        yield from named.values() if isinstance(named, dict) else [None]
    choices = schema.get("anyOf", [])
    yield from choices if isinstance(choices, list) else [None]
    if "items" in schema:
        yield schema["items"]
