"""Whether a value fits a shape of botocore's own model of the service, in the JSON of the wire.

botocore's validator is for a client's parameters: it lets unknown patterns, lengths that are too
great and strings for blobs pass, which the service does not.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape

from ..shape import Flag, Number, ShapeError, Table, Text
from ..shape import Sequence as AnyList

# Its pattern can match a hyphen in two ways, so a name that does not fit takes exponential time.
ALPHABETS = {"ModelInvocationJobName": re.compile(r"[a-zA-Z0-9+.-]*")}
NUMBERS = {"integer": True, "long": True, "float": False, "double": False}


class _Any:
    def parse(self, value: Any, path: str = "") -> Any:
        return value


ANY_LIST, ANY_OBJECT = AnyList(_Any()), Table(_Any())


@cache
def service(name: str) -> ServiceModel:
    """`bedrock` or `bedrock-runtime`."""
    loader = botocore.session.get_session().get_component("data_loader")
    return ServiceModel(loader.load_service_model(name, "service-2"), name)


def input_shape(service_name: str, operation: str) -> StructureShape:
    shape = service(service_name).operation_model(operation).input_shape
    assert isinstance(shape, StructureShape)
    return shape


def check(value: Any, shape: Shape, path: str = "") -> None:
    """Raises ShapeError."""
    if isinstance(shape, StructureShape):
        if shape.is_document_type:
            return
        _check_structure(value, shape, path)
    elif isinstance(shape, ListShape):
        _check_list(value, shape, path)
    elif isinstance(shape, MapShape):
        _check_map(value, shape, path)
    elif isinstance(shape, StringShape):
        check_text(value, shape, path)
    elif shape.type_name in NUMBERS:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        Number(low, high, whole=NUMBERS[shape.type_name]).parse(value, path)
    elif shape.type_name == "boolean":
        Flag().parse(value, path)
    elif shape.type_name == "blob":
        _check_blob(value, shape, path)
    else:
        raise NotImplementedError(shape.type_name)


def _check_structure(value: Any, shape: StructureShape, path: str) -> None:
    given: Mapping[str, Any] = ANY_OBJECT.parse(value, path)
    for name, inner in given.items():
        if name not in shape.members:
            raise ShapeError("unknown", _join(path, name), f"Unknown member: '{name}'.")
        check(inner, shape.members[name], _join(path, name))
    for name in shape.required_members:
        if name not in given:
            raise ShapeError("missing", _join(path, name), "Member must not be null")
    if shape.is_tagged_union and len(given) != 1:
        raise ShapeError("value", path, f"exactly one of {sorted(shape.members)} must be given")


def _check_list(value: Any, shape: ListShape, path: str) -> None:
    items = ANY_LIST.parse(value, path)
    _check_length(len(items), shape, path)
    for index, item in enumerate(items):
        check(item, shape.member, f"{path}[{index}]")


def _check_map(value: Any, shape: MapShape, path: str) -> None:
    entries = ANY_OBJECT.parse(value, path)
    _check_length(len(entries), shape, path)
    for name, entry in entries.items():
        check(name, shape.key, _join(path, name))
        check(entry, shape.value, _join(path, name))


def check_text(value: Any, shape: Shape, path: str) -> None:
    text = Text().parse(value, path)
    _check_length(len(text), shape, path)
    choices = shape.metadata.get("enum")
    if choices and text not in choices:
        message = f"Member must satisfy enum value set: {sorted(choices)}"
        raise ShapeError("value", path, message)
    pattern = shape.metadata.get("pattern")
    alphabet = ALPHABETS.get(shape.name)
    if (alphabet and not alphabet.fullmatch(text)) or (pattern and not _fits(pattern, text)):
        message = f"Member must satisfy regular expression pattern: {pattern}"
        raise ShapeError("value", path, message)


def _fits(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None


def _check_blob(value: Any, shape: Shape, path: str) -> None:
    text = Text().parse(value, path)
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ShapeError("value", path, "a blob must be in base64") from None
    _check_length(len(content), shape, path)


def _check_length(length: int, shape: Shape, path: str) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and length < low:
        raise ShapeError("value", path, f"Member must have length at least {low}")
    if high is not None and length > high:
        raise ShapeError("value", path, f"Member must have length at most {high}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
