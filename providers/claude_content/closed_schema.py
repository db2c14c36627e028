"""The JSON Schemas that Anthropic can enforce, in answers and in strict tools.

Anthropic requires every object to be closed and supports few constraints (its page on structured
outputs, and the schemas that its SDK 2.12 makes). Gemini writes declared properties only, so
closing an object does not change what its schema means there; that all others are allowed is the
default, and says nothing. A constraint that Anthropic cannot enforce is refused in an answer's
schema, and makes a tool an ordinary one; it is not turned into a description.
"""

from typing import Any, Final

from providers.claude_content.exclusive_schemas import exclude_each_other
from providers.errors import FerryError, invalid_argument
from providers.gemini_content.function_tools import DeclaredFunction, FunctionTools
from providers.gemini_content.json_path import item, member
from providers.gemini_content.response_schema import json_format
from providers.gemini_content.warnings import Warnings

_KEPT: Final = frozenset(
    {"type", "title", "description", "default", "enum", "const", "required", "pattern", "$ref"}
)
# Comments for a reader; they constrain nothing.
_ANNOTATIONS: Final = frozenset({"examples", "$schema", "$comment"})
_FORMATS: Final = frozenset(
    {
        "date-time",
        "time",
        "date",
        "duration",
        "email",
        "hostname",
        "uri",
        "ipv4",
        "ipv6",
        "uuid",
    }
)
# The integers that a program in JavaScript can tell apart: zod writes them for each integer.
_SAFE: Final = {"minimum": 1 - 2**53, "maximum": 2**53 - 1}
# How a program stores a number (OpenAPI); Gemini's Schema has them.
_NUMBER_FORMATS: Final = ("int32", "int64", "float", "double")
_NUMBERS: Final = ("integer", "number", "null")
_NAMED: Final = ("properties", "$defs")
_LISTED: Final = ("anyOf", "allOf")


def closed_schema(schema: object, path: str, warnings: Warnings) -> dict[str, Any]:
    """The JSON Schema at `path` with every object closed.

    Raises INVALID_ARGUMENT with the path of the first keyword that Anthropic does not support.
    """
    if not isinstance(schema, dict):
        raise invalid_argument("must be a schema, which is an object", path=path)
    closed: dict[str, Any] = {}
    for keyword, value in schema.items():
        where = member(path, keyword)
        if keyword in _ANNOTATIONS or _says_nothing(keyword, value, schema):
            warnings.drop(where)
        elif keyword in _NAMED:
            closed[keyword] = _named(value, where, warnings)
        elif keyword in _LISTED:
            closed[keyword] = _listed(value, where, warnings)
        elif keyword == "oneOf" and "anyOf" not in schema and exclude_each_other(value):
            closed["anyOf"] = _listed(value, where, warnings)
        elif keyword == "items":
            closed[keyword] = closed_schema(value, where, warnings)
        else:
            _require_known(keyword, value, where)
            closed[keyword] = value
    if _is_object(schema):
        if "properties" not in schema:
            raise invalid_argument("must have properties, because it is an object", path=path)
        closed["additionalProperties"] = False
    return closed


def closed_parameters(
    declared: DeclaredFunction, requested: FunctionTools, warnings: Warnings
) -> dict[str, Any] | None:
    """The closed parameters of a function whose calls must fit them.

    None if nothing of the kind is requested, or with a warning if Anthropic cannot enforce them.
    """
    if not requested.validated:
        return None
    with warnings.apart() as recorded:
        try:
            closed = closed_schema(declared.parameters, declared.schema_path, warnings)
        except FerryError:
            closed = None
    if closed is None:
        requested.drop_validation(warnings)
    else:
        warnings.add(recorded)
    return closed


def closed_answer_schema(
    config: dict[str, Any], path: str, warnings: Warnings, provider: str
) -> dict[str, Any] | None:
    """The closed schema for answers in the GenerationConfig at `path`; None for plain text."""
    requested = json_format(config, path, provider)
    if requested is None:
        return None
    if not requested.schema:
        raise invalid_argument(
            f"{provider} answers in JSON only with a schema; give responseSchema",
            path=requested.path,
        )
    return closed_schema(requested.schema, requested.path, warnings)


def _says_nothing(keyword: str, value: object, schema: dict[str, Any]) -> bool:
    if keyword == "additionalProperties":
        return value is True or value == {}
    if keyword == "format":
        return value in _NUMBER_FORMATS and _is_number(schema)
    return schema.get("type") == "integer" and keyword in _SAFE and value == _SAFE[keyword]


def _require_known(keyword: str, value: object, path: str) -> None:
    match keyword:
        case "format" if not (isinstance(value, str) and value in _FORMATS):
            raise invalid_argument(f"must be one of {', '.join(sorted(_FORMATS))}", path=path)
        case "minItems" if value not in (0, 1):
            raise invalid_argument("must be 0 or 1", path=path)
        case "additionalProperties" if value is not False:
            raise invalid_argument(
                "must be false: Anthropic takes only objects whose members are all in properties",
                path=path,
            )
        case "format" | "minItems" | "additionalProperties":
            return
        case _ if keyword not in _KEPT:
            raise invalid_argument(
                "Anthropic cannot enforce this keyword; leave it out, or say it in the description",
                path=path,
            )


def _named(value: object, path: str, warnings: Warnings) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid_argument("must be an object", path=path)
    return {
        name: closed_schema(inner, member(path, name), warnings) for name, inner in value.items()
    }


def _listed(value: object, path: str, warnings: Warnings) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise invalid_argument("must be a list", path=path)
    return [closed_schema(inner, item(path, place), warnings) for place, inner in enumerate(value)]


def _is_number(schema: dict[str, Any]) -> bool:
    types = schema.get("type")
    named = [types] if isinstance(types, str) else types
    return bool(named) and isinstance(named, list) and all(each in _NUMBERS for each in named)


def _is_object(schema: dict[str, Any]) -> bool:
    types = schema.get("type")
    return (
        "properties" in schema
        or types == "object"
        or (isinstance(types, list) and "object" in types)
    )
