"""The table against the types of Google's SDK: a new field there fails a test."""

import typing
from collections.abc import Iterator, Mapping
from typing import Final

import pytest
from google.genai import types
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from providers.gemini_content.schema import OBJECTS
from tests.test_providers.test_gemini_content import maximal_requests

# Objects with another name in the SDK.
_SDK_NAMES: Final = {"ResponseFormatConfig": "ResponseFormat"}
# The SDK has one type for two objects of the wire: the type of the user's `config`.
_CONFIGS: Final[Mapping[type[BaseModel], tuple[str, ...]]] = {
    types.GenerateContentConfig: ("GenerateContentRequest", "GenerationConfig"),
    types.EmbedContentConfig: ("EmbedContentRequest", "EmbedContentConfig"),
}
# Fields of an SDK's `config` for the SDK itself, or sent under another name.
_NOT_ON_THE_WIRE: Final = frozenset(
    {
        "httpOptions",
        "shouldReturnHttpResponse",
        "automaticFunctionCalling",
        "automaticContinuation",
        "generationOutputConfig",
    }
)
_SENT_AS: Final = {"generationOutputConfig": "outputConfig", "modelSelectionConfig": "modelConfig"}
_OWN_TYPES: Final = sorted(
    name for name in OBJECTS if hasattr(types, _SDK_NAMES.get(name, name)) or name in _SDK_NAMES
)


def _fields(model: type[BaseModel]) -> set[str]:
    return {field.alias or to_camel(name) for name, field in model.model_fields.items()}


@pytest.mark.parametrize("name", _OWN_TYPES)
def test_an_object_has_every_field_that_the_sdk_knows(name: str) -> None:
    sdk_type = getattr(types, _SDK_NAMES.get(name, name))
    missing = _fields(sdk_type) - OBJECTS[name].keys() - _NOT_ON_THE_WIRE
    assert missing == set()


def test_only_the_requests_themselves_have_no_type_in_the_sdk() -> None:
    assert OBJECTS.keys() - set(_OWN_TYPES) == {"GenerateContentRequest", "EmbedContentRequest"}


@pytest.mark.parametrize(("config", "objects"), _CONFIGS.items())
def test_every_field_of_a_config_is_mapped(
    config: type[BaseModel], objects: tuple[str, ...]
) -> None:
    known = {field for name in objects for field in OBJECTS[name]}
    assert _fields(config) - known - _NOT_ON_THE_WIRE == set()
    assert {_SENT_AS[name] for name in _fields(config) & _SENT_AS.keys()} <= known


def _typed(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """The types inside a type of the SDK."""
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for inner in _models_in(field.annotation):
            yield from _typed(inner, seen)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models_in(inner)


def test_every_object_that_is_read_inside_an_sdk_type_is_in_the_table() -> None:
    """An object whose name is in the SDK is reached from a request, so it is compared above."""
    reached = {
        model.__name__
        for root in (types.Content, types.GenerateContentConfig, types.GenerationConfig)
        for model in _typed(root, set())
    }
    read = {
        _SDK_NAMES.get(kind, kind)
        for fields in OBJECTS.values()
        for kind in fields.values()
        if isinstance(kind, str)
    }
    assert read - reached == {"EmbedContentConfig"}


def test_the_maximal_config_is_one_that_the_sdk_can_hold() -> None:
    held = {to_camel(name) for name in types.GenerationConfig.model_fields}
    only_on_the_wire = {"_responseJsonSchema", "imageConfig", "modelConfig"}
    assert maximal_requests.GENERATE["generationConfig"].keys() - held == only_on_the_wire
