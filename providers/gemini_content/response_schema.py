"""In which format a request wants its answer: responseMimeType and the two schema fields."""

from dataclasses import dataclass
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.json_schema import to_json_schema

_JSON: Final = "application/json"


@dataclass(frozen=True)
class JsonAnswer:
    """An answer in JSON, by a JSON Schema or by none; `path` is that of the field to blame."""

    schema: dict[str, Any] | None
    path: str


def json_answer(config: dict[str, Any], path: str, provider: str) -> JsonAnswer | None:
    """What the normalised GenerationConfig at `path` asks for; None for plain text.

    Raises INVALID_ARGUMENT for other formats, and for schemas that contradict one another.
    """
    mime_path = member(path, "responseMimeType")
    mime_type = config.get("responseMimeType")
    if mime_type not in (None, _JSON):
        raise invalid_argument(f"{provider} answers in text/plain or {_JSON}", path=mime_path)
    fields = [field for field in ("responseSchema", "responseJsonSchema") if field in config]
    if not fields:
        return JsonAnswer(None, mime_path) if mime_type else None
    field_path = member(path, fields[-1])
    if len(fields) > 1:
        raise invalid_argument("excludes responseSchema", path=field_path)
    if mime_type != _JSON:
        raise invalid_argument(f'needs responseMimeType "{_JSON}"', path=field_path)
    schema: dict[str, Any] = config[fields[0]]
    if fields[0] == "responseSchema":
        schema = to_json_schema(schema, field_path)
    return JsonAnswer(schema, field_path)
