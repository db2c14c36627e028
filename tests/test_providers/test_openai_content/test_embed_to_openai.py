from typing import Any

import pytest
from openai.types.embedding_create_params import EmbeddingCreateParams

from providers.errors import FerryError
from providers.gemini_content.normalise import normalise_embed
from providers.gemini_content.warnings import Warnings
from providers.openai.dialect import OPENAI_DIALECT
from providers.openai_content.embed_to_openai import to_openai_embedding
from tests.published_types import require_published

_HELLO = {"parts": [{"text": "Hello"}]}


def _embedding(**request: Any) -> dict[str, Any]:
    normal = normalise_embed({"content": _HELLO} | request, "request")
    body = to_openai_embedding(
        normal,
        model="models/m",
        path="request",
        warnings=Warnings(),
        dialect=OPENAI_DIALECT,
    )
    require_published(body, EmbeddingCreateParams)
    return body


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({}, {}),
        ({"model": "models/m"}, {}),
        ({"model": "m"}, {}),
        ({"taskType": "TASK_TYPE_UNSPECIFIED"}, {}),
        ({"output_dimensionality": 64}, {"dimensions": 64}),
        ({"embedContentConfig": {"outputDimensionality": 64}}, {"dimensions": 64}),
    ],
)
def test_embeddings(fields: dict[str, Any], options: dict[str, Any]) -> None:
    plain = {"model": "m", "input": "Hello", "encoding_format": "float"}
    assert _embedding(**fields) == plain | options


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"model": "models/other"}, "model"),
        ({"taskType": "RETRIEVAL_QUERY"}, "taskType"),
        ({"title": "t"}, "title"),
        ({"outputDimensionality": 0}, "outputDimensionality"),
        ({"embedContentConfig": {"taskType": "CLUSTERING"}}, "embedContentConfig.taskType"),
        ({"embedContentConfig": {"title": "t"}}, "embedContentConfig.title"),
        ({"embedContentConfig": {"autoTruncate": True}}, "embedContentConfig.autoTruncate"),
        ({"content": {"parts": [{"text": "a"}, {"text": "b"}]}}, "content.parts"),
        ({"content": {"parts": [{"text": ""}]}}, "content.parts"),
        ({"content": {"parts": [{"inlineData": {}}]}}, "content.parts"),
        ({"content": {"parts": [{"executableCode": {}}]}}, "content.parts[0].executableCode"),
    ],
)
def test_requests_that_openai_cannot_embed(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(FerryError) as refused:
        _embedding(**fields)
    assert refused.value.path == f"request.{path}"


@pytest.mark.parametrize("name", ["taskType", "title"])
@pytest.mark.parametrize("place", ["", "embedContentConfig."])
def test_a_refusal_asks_to_leave_the_field_out(name: str, place: str) -> None:
    setting = {name: "CLUSTERING" if name == "taskType" else "t"}
    with pytest.raises(FerryError) as refused:
        _embedding(**({"embedContentConfig": setting} if place else setting))
    what = {
        "taskType": "task type; leave it out, or give TASK_TYPE_UNSPECIFIED if the library needs "
        "one",
        "title": "title; leave it out",
    }[name]
    assert refused.value.message == f"request.{place}{name}: OpenAI's embeddings take no {what}"
