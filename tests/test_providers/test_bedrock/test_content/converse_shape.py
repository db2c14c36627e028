"""Converse's input by botocore's own model, so that no shape comes from our code."""

import re
from base64 import b64decode
from functools import cache
from typing import Any, Final

import botocore.session
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

_BLOBS: Final = ("bytes", "redactedContent")
_MODEL_ID: Final = "amazon.nova-pro-v1:0"


def require_converse(body: dict[str, Any]) -> None:
    """Fails for a body that Converse's service model does not allow; bytes are base64 text."""
    params = _decoded(body) | {"modelId": _MODEL_ID}
    shape = _operation().input_shape
    assert isinstance(shape, StructureShape)
    report = ParamValidator().validate(params, shape)
    assert not report.has_errors(), report.generate_report()
    _check(params, shape, "$")


@cache
def _operation() -> OperationModel:
    return (
        botocore.session.get_session()
        .get_service_model("bedrock-runtime")
        .operation_model("Converse")
    )


def _decoded(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {
            key: inner if key in ("json", "input") else _decoded(inner, key)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_decoded(entry) for entry in value]
    return b64decode(value, validate=True) if name in _BLOBS else value


def _check(value: Any, shape: Shape, at: str) -> None:
    """What botocore describes but does not validate: enums, patterns, maximum lengths."""
    match value:
        case dict() if isinstance(shape, StructureShape) and not shape.is_document_type:
            if shape.is_tagged_union:
                assert len(value) == 1, at
            for name, inner in value.items():
                _check(inner, shape.members[name], f"{at}.{name}")
        case list() if isinstance(shape, ListShape):
            assert len(value) <= shape.metadata.get("max", len(value)), at
            for index, entry in enumerate(value):
                _check(entry, shape.member, f"{at}[{index}]")
        case str():
            assert len(value) <= shape.metadata.get("max", len(value)), at
            assert value in (getattr(shape, "enum", None) or [value]), at
            assert re.fullmatch(shape.metadata.get("pattern", ".*"), value, re.DOTALL), at
        case int() | float():
            assert value <= shape.metadata.get("max", value), at
