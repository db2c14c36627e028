"""A Gemini request as a client wrote it -> the one form that translators read.

In that form every name is in camelCase, every value has the type of the schema's table, bytes are
standard base64, and every turn has a role and parts. Values without a meaning are absent: nulls,
empty lists, `false`, unspecified enum values, and the defaults that the table lists.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

from providers.errors import FerryError, invalid_argument
from providers.gemini_content.json_path import item, member
from providers.gemini_content.scalars import read_scalar, wrong_type
from providers.gemini_content.schema import (
    DEFAULTS,
    EMBED,
    GENERATE,
    OBJECTS,
    OPAQUE,
    SETTINGS,
    BooleanOr,
    Kind,
    ListOf,
    MapOf,
    Numbered,
    Scalar,
)
from providers.json_api.path_names import check_path_name
from providers.json_api.unknown_members import refuse_unknown, unknown_member

_CAPITAL: Final = re.compile(r"[A-Z]")
_ROLES: Final[Mapping[str, str]] = {
    "user": "user",
    "model": "model",
    # Older names of the role whose turn has function responses.
    "function": "user",
    "tool": "user",
}


def normalise_generate(request: object, path: str) -> dict[str, Any]:
    """Normalise the GenerateContentRequest at `path`.

    Returns a new dict; `request` is not changed. Raises INVALID_ARGUMENT with the JSON path of the
    first key or value that is unknown, given twice, of a wrong type, or missing.
    """
    _hint_at_mistakes(request, path)
    normal = _object(request, GENERATE, path)
    _check_model(normal, path)
    contents = normal.get("contents")
    if not contents:
        raise invalid_argument("must have at least one turn", path=member(path, "contents"))
    normal["contents"] = [
        _turn(turn, item(member(path, "contents"), index)) for index, turn in enumerate(contents)
    ]
    if "systemInstruction" in normal:
        system_path = member(path, "systemInstruction")
        instruction = _without_role(normal.pop("systemInstruction"), system_path)
        # The library Instructor sends an empty one if its user gives none.
        if any(part != {"text": ""} for part in instruction["parts"]):
            normal["systemInstruction"] = instruction
    return normal


def normalise_embed(request: object, path: str) -> dict[str, Any]:
    """Normalise the EmbedContentRequest at `path`, as `normalise_generate` does."""
    normal = _object(request, EMBED, path)
    _check_model(normal, path)
    if "content" not in normal:
        raise invalid_argument("is required", path=member(path, "content"))
    normal["content"] = _without_role(normal["content"], member(path, "content"))
    return normal


# Checks of a request as a whole.


def _check_model(normal: dict[str, Any], path: str) -> None:
    if "model" in normal:
        name = normal["model"].removeprefix("models/")
        check_path_name(name, member(path, "model"), "model")


def _hint_at_mistakes(request: object, path: str) -> None:
    """The SDKs split `config` and make a list of a text; hand-written lines may have neither."""
    if not isinstance(request, dict):
        return
    if "config" in request:
        raise _config(member(path, "config"), "generationConfig")
    if isinstance(request.get("contents"), str):
        raise invalid_argument(
            'must be a list, such as [{"parts": [{"text": "..."}]}]', path=member(path, "contents")
        )


def _turn(content: dict[str, Any], path: str) -> dict[str, Any]:
    role = content.get("role") or "user"
    if role not in _ROLES:
        raise invalid_argument('must be "user" or "model"', path=member(path, "role"))
    # There may be no parts: what an SDK keeps of a streamed answer has such contents.
    return {"role": _ROLES[role], "parts": content.get("parts", [])}


def _without_role(content: dict[str, Any], path: str) -> dict[str, Any]:
    return {"parts": _parts(content, path)}


def _parts(content: dict[str, Any], path: str) -> list[dict[str, Any]]:
    if "parts" not in content:
        raise invalid_argument("must have at least one part", path=member(path, "parts"))
    parts: list[dict[str, Any]] = content["parts"]
    return parts


# Reading a value by the schema's table.


def _object(value: object, name: str, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong_type(Scalar.FREE_MAP, path)
    names = _names(name)
    normal: dict[str, Any] = {}
    seen: set[str] = set()
    for key, raw in value.items():
        field = names.get(key)
        if field is None:
            raise _unknown(key, name, member(path, key))
        if field in seen:
            raise invalid_argument(f"{field} is given twice", path=member(path, key))
        seen.add(field)
        if raw is None:
            continue
        kind = OBJECTS[name][field]
        read = _value(raw, kind, member(path, key))
        if not _is_default(read, kind) and read != DEFAULTS.get(name, {}).get(field):
            normal[field] = read
    return normal


def _value(value: object, kind: Kind, path: str) -> Any:
    match kind:
        case Scalar():
            return read_scalar(value, kind, path)
        case str():
            return _object(value, kind, path)
        case ListOf(element):
            if isinstance(value, dict) and (isinstance(element, str) or element is OPAQUE):
                # Google takes a lone object for a list of objects (translation.md section 0).
                return [_value(value, element, path)]
            if not isinstance(value, list):
                raise invalid_argument("must be a list", path=path)
            return [_value(entry, element, item(path, index)) for index, entry in enumerate(value)]
        case MapOf(element):
            if not isinstance(value, dict):
                raise wrong_type(Scalar.FREE_MAP, path)
            return {key: _value(entry, element, member(path, key)) for key, entry in value.items()}
        case BooleanOr(otherwise):
            return value if isinstance(value, bool) else _value(value, otherwise, path)
        case Numbered(names, scalar):
            if type(value) is int and 0 <= value < len(names):
                return names[value]
            return read_scalar(value, scalar, path)


def _is_default(value: object, kind: Kind) -> bool:
    match kind:
        case ListOf() | Scalar.BOOLEAN:
            return not value
        case Scalar.ENUM:
            return str(value).endswith("UNSPECIFIED")
        case Numbered(_, scalar):
            return _is_default(value, scalar)
        case _:
            return False


@cache
def _names(name: str) -> Mapping[str, str]:
    """Both spellings of every field of an object -> its camelCase name."""
    fields = OBJECTS[name]
    snake = {_CAPITAL.sub(r"_\g<0>", field).lower(): field for field in fields}
    return snake | {field: field for field in fields}


# Every name that a member of a request may have.
REQUEST_MEMBERS: Final = frozenset({*_names(GENERATE), *_names(EMBED)})


# Members in the wrong place.

# What the SDKs of 2025 wrote beside an inline request.
BESIDE_REQUEST: Final = frozenset(
    {"systemInstruction", "tools", "toolConfig", "safetySettings", "cachedContent"}
)


def refuse_beside_request(members: Collection[str], known: Collection[str], where: str) -> None:
    """Raises INVALID_ARGUMENT for a member that an object with a `request` does not have.

    `known` are those that it has; a JSON path is `where` and a name.
    """
    for name in members:
        if name in known:
            continue
        if name in REQUEST_MEMBERS:
            raise _misplaced(where + name, "in request")
        if name in _names(SETTINGS):
            raise _misplaced(where + name, "in request.generationConfig")
        if name == "config":
            raise _config(where + name, "request.generationConfig")
        refuse_unknown([name], known, where)


def _unknown(key: str, name: str, path: str) -> FerryError:
    """The error for the member `key` of an object of the schema that has no such member."""
    if name == GENERATE and key in _names(SETTINGS):
        return _misplaced(path, "in generationConfig")
    if name == SETTINGS and key in _names(GENERATE):
        return _misplaced(path, "next to generationConfig")
    return unknown_member(key, _names(name), path)


def _misplaced(path: str, place: str) -> FerryError:
    return invalid_argument(f"unknown field here; put it {place}", path=path)


def _config(path: str, settings: str) -> FerryError:
    """The SDKs have `config`, and split it."""
    return invalid_argument(
        f"unknown field; put its settings in {settings}; systemInstruction, tools, toolConfig "
        "and safetySettings belong next to it",
        path=path,
    )
