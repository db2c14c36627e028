"""The response format of a request: responseMimeType and the schemas, or responseFormat.

`responseFormat.text` is the newer spelling of the same two settings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.json_schema import in_property_order, plain_root, to_json_schema
from providers.gemini_content.unsupported import refuse_fields

_JSON: Final = "application/json"
_TEXT: Final = "text/plain"
_SCHEMAS: Final = ("responseSchema", "responseJsonSchema", "_responseJsonSchema")
# Google's names; its SDKs take any text.
_FORMATS: Final = {
    "APPLICATION_JSON": _JSON,
    "APPLICATION/JSON": _JSON,
    "TEXT_PLAIN": _TEXT,
    "TEXT/PLAIN": _TEXT,
}
_OTHER_FORMATS: Final = dict.fromkeys(("audio", "image", "video"), "{} answers in text only")


@dataclass(frozen=True)
class JsonFormat:
    """JSON, with a JSON Schema or without one. `path` is the field to name in an error."""

    schema: dict[str, Any] | None
    path: str


def json_format(config: dict[str, Any], path: str, provider: str) -> JsonFormat | None:
    """The JSON format in the normalised GenerationConfig at `path`; None for plain text.

    Raises INVALID_ARGUMENT for other formats, and for settings that contradict each other.
    """
    mime_path = member(path, "responseMimeType")
    mime_type = config.get("responseMimeType")
    if mime_type not in (None, _JSON):
        raise invalid_argument(
            f"{provider} answers in {_TEXT} or {_JSON}; for an enum, give {_JSON} and the enum in "
            "a schema",
            path=mime_path,
        )
    newer, newer_path = _newer_mime_type(config, path, provider)
    if mime_type and newer == _TEXT:
        raise invalid_argument("differs from responseMimeType", path=newer_path)
    schemas = list(_schemas(config, path))
    if not schemas:
        if mime_type:
            return JsonFormat(None, mime_path)
        return JsonFormat(None, newer_path) if newer == _JSON else None
    schema, schema_path = schemas[-1]
    if len(schemas) > 1:
        raise invalid_argument("is a second schema; give one only", path=schema_path)
    if _JSON not in (mime_type, newer):
        raise invalid_argument(f"requires the MIME type {_JSON}", path=schema_path)
    return JsonFormat(plain_root(schema) if "$ref" in schema else schema, schema_path)


def _newer_mime_type(config: dict[str, Any], path: str, provider: str) -> tuple[str | None, str]:
    """The mimeType of responseFormat.text, and its path."""
    answer, format_path = config.get("responseFormat", {}), member(path, "responseFormat")
    refuse_fields(answer, _OTHER_FORMATS, format_path, provider)
    mime_path = member(member(format_path, "text"), "mimeType")
    named = answer.get("text", {}).get("mimeType")
    if named is not None and named not in _FORMATS:
        raise invalid_argument("must be TEXT_PLAIN or APPLICATION_JSON", path=mime_path)
    return _FORMATS.get(named), mime_path


def _schemas(config: dict[str, Any], path: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Every schema that is given, as JSON Schema, with its path."""
    for field in _SCHEMAS:
        if field in config:
            schema, field_path = config[field], member(path, field)
            geminis = field == "responseSchema"
            read = to_json_schema(schema, field_path) if geminis else in_property_order(schema)
            yield read, field_path
    text = config.get("responseFormat", {}).get("text", {})
    if "schema" in text:
        yield (
            in_property_order(text["schema"]),
            member(member(member(path, "responseFormat"), "text"), "schema"),
        )
