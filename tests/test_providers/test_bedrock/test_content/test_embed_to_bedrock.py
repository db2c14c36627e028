from typing import Any

import pytest

from providers.bedrock.content.embed_to_bedrock import to_bedrock_embedding
from providers.errors import FerryError
from providers.gemini_content.normalise import normalise_embed
from providers.gemini_content.warnings import Warnings
from providers.status import Status
from tests.test_providers.test_bedrock.test_content.translate import CLAUDE, OPAQUE

TITAN_V1 = "amazon.titan-embed-text-v1"
TITAN_V2 = "amazon.titan-embed-text-v2:0"
COHERE_V3 = "cohere.embed-english-v3"
COHERE_V4 = "us.cohere.embed-v4:0"
_CONTENT: dict[str, Any] = {"parts": [{"text": "a"}]}


def _embedding(model: str, /, **request: Any) -> tuple[dict[str, Any], str]:
    warnings = Warnings()
    normalised = normalise_embed({"content": _CONTENT} | request, "request")
    body = to_bedrock_embedding(normalised, model=model, path="request", warnings=warnings)
    return body, warnings.render()


def _refusal(model: str, /, **request: Any) -> FerryError:
    with pytest.raises(FerryError) as refused:
        _embedding(model, **request)
    assert refused.value.status == Status.INVALID_ARGUMENT
    return refused.value


_DOCUMENT = {"texts": ["a"], "input_type": "search_document"}


@pytest.mark.parametrize(
    ("model", "request_", "body"),
    [
        (TITAN_V1, {}, {"inputText": "a"}),
        (TITAN_V2, {}, {"inputText": "a"}),
        (TITAN_V2, {"outputDimensionality": 256}, {"inputText": "a", "dimensions": 256}),
        (TITAN_V2, {"outputDimensionality": "1024"}, {"inputText": "a", "dimensions": 1024}),
        (
            TITAN_V2,
            {"embedContentConfig": {"outputDimensionality": 256}},
            {"inputText": "a", "dimensions": 256},
        ),
        (
            COHERE_V3,
            {"embedContentConfig": {"taskType": "RETRIEVAL_DOCUMENT"}},
            _DOCUMENT,
        ),
        (TITAN_V2, {"taskType": "TASK_TYPE_UNSPECIFIED"}, {"inputText": "a"}),
        (COHERE_V3, {"taskType": "RETRIEVAL_DOCUMENT"}, _DOCUMENT),
        (COHERE_V3, {"taskType": "RETRIEVAL_QUERY"}, _DOCUMENT | {"input_type": "search_query"}),
        (COHERE_V4, {"taskType": "CLASSIFICATION"}, _DOCUMENT | {"input_type": "classification"}),
        (
            COHERE_V4,
            {"taskType": "CLUSTERING", "outputDimensionality": 1536},
            _DOCUMENT | {"input_type": "clustering", "output_dimension": 1536},
        ),
    ],
)
def test_an_embedding(model: str, request_: dict[str, Any], body: dict[str, Any]) -> None:
    assert _embedding(model, **request_) == (body, "")


@pytest.mark.parametrize("model", [COHERE_V3, COHERE_V4])
def test_cohere_gets_a_task_in_any_case(model: str) -> None:
    warnings = "request.taskType=search_document;count=1"
    assert _embedding(model) == (_DOCUMENT, warnings)


@pytest.mark.parametrize("model", [TITAN_V1, TITAN_V2, COHERE_V3, COHERE_V4])
@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"title": "t"}, "title"),
        ({"model": "models/other"}, "model"),
        ({"outputDimensionality": 100}, "outputDimensionality"),
        ({"outputDimensionality": 0}, "outputDimensionality"),
        ({"taskType": "SEMANTIC_SIMILARITY"}, "taskType"),
        ({"content": {"parts": [{"text": ""}]}}, "content.parts"),
        ({"content": {"parts": [{"text": "a"}, {"text": "b"}]}}, "content.parts"),
        (
            {"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}},
            "content.parts",
        ),
    ],
)
def test_fields_without_an_equivalent(model: str, request_: dict[str, Any], field: str) -> None:
    assert _refusal(model, **request_).path == f"request.{field}"


@pytest.mark.parametrize(
    ("model", "request_", "field"),
    [
        (TITAN_V1, {"outputDimensionality": 1024}, "outputDimensionality"),
        (TITAN_V2, {"outputDimensionality": 1536}, "outputDimensionality"),
        (TITAN_V2, {"taskType": "RETRIEVAL_QUERY"}, "taskType"),
        (COHERE_V3, {"outputDimensionality": 1024}, "outputDimensionality"),
    ],
)
def test_fields_that_one_model_lacks(model: str, request_: dict[str, Any], field: str) -> None:
    assert _refusal(model, **request_).path == f"request.{field}"


@pytest.mark.parametrize(
    ("model", "setting", "reason"),
    [
        (COHERE_V3, {"title": "t"}, "title: Bedrock's embeddings take no title; leave it out"),
        (
            TITAN_V2,
            {"taskType": "RETRIEVAL_QUERY"},
            "taskType: Titan's embeddings take no task type; leave it out, or give "
            "TASK_TYPE_UNSPECIFIED if the library needs one",
        ),
        (
            COHERE_V3,
            {"outputDimensionality": 1024},
            "outputDimensionality: Cohere Embed v3 has embeddings of one length; leave it out",
        ),
    ],
)
def test_a_refusal_asks_to_leave_the_field_out(
    model: str, setting: dict[str, Any], reason: str
) -> None:
    assert _refusal(model, **setting).message == f"request.{reason}"


@pytest.mark.parametrize("model", [CLAUDE, OPAQUE, "amazon.titan-embed-image-v1"])
def test_models_without_known_embeddings(model: str) -> None:
    message = _refusal(model).message
    assert model in message
    assert "Cohere Embed v3, Cohere Embed v4, Titan Text" in message
