from typing import Any

import pytest

from providers.bedrock.content.embed_from_bedrock import (
    from_cohere_embeddings,
    from_titan_embedding,
)
from providers.errors import FerryError
from providers.status import Status


@pytest.mark.parametrize(
    ("body", "response"),
    [
        (
            {"embedding": [0.5, -1], "inputTextTokenCount": 3, "embeddingsByType": {}},
            {"embedding": {"values": [0.5, -1]}, "tokenCount": "3"},
        ),
        ({"embedding": []}, {"embedding": {"values": []}}),
    ],
)
def test_titans(body: dict[str, Any], response: dict[str, Any]) -> None:
    assert from_titan_embedding(body) == response


@pytest.mark.parametrize(
    ("embeddings", "response"),
    [
        ([[0.5, 1]], {"embedding": {"values": [0.5, 1]}}),
        ({"float": [[0.5, 1]], "int8": [[1, 2]]}, {"embedding": {"values": [0.5, 1]}}),
        ([[1.5], [2.5]], {"embeddings": [{"values": [1.5]}, {"values": [2.5]}]}),
    ],
)
def test_coheres(embeddings: Any, response: dict[str, Any]) -> None:
    body = {"id": "a", "response_type": "embeddings_floats", "embeddings": embeddings}
    assert from_cohere_embeddings(body) == response


@pytest.mark.parametrize("embedding", [None, "AAAA", [None], ["1"], [True], [2**64]])
def test_invalid_embeddings(embedding: Any) -> None:
    for translate, body in (
        (from_titan_embedding, {"embedding": embedding}),
        (from_cohere_embeddings, {"embeddings": [embedding]}),
    ):
        with pytest.raises(FerryError) as refused:
            translate(body)
        assert refused.value.status == Status.INTERNAL


@pytest.mark.parametrize("embeddings", [None, [], {}, {"int8": [[1]]}, {"float": []}])
def test_answers_without_embeddings(embeddings: Any) -> None:
    with pytest.raises(FerryError) as refused:
        from_cohere_embeddings({"embeddings": embeddings})
    assert refused.value.status == Status.INTERNAL
