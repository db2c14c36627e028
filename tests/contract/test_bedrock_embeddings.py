"""Embeddings of Bedrock's models against the fake."""

from typing import Any

import orjson
import pytest

from providers.resources import EmbedForm, EmbedRequest
from providers.status import Status
from tests.contract.bedrock_with_fake import BedrockWithFake, refused
from tests.contract.embedding import batch, embedded, embedding, vectors
from tests.fakes.bedrock.embeddings import normalized

V1 = "amazon.titan-embed-text-v1"
V2 = "amazon.titan-embed-text-v2:0"
COHERE = "cohere.embed-english-v3"
TEXTS = [f"text {number}" for number in range(20)]
INVOKE = "model/.*/invoke"


async def test_titan_takes_one_text_in_each_call(bedrock: BedrockWithFake) -> None:
    found, tokens, warnings = await embedded(bedrock, batch(V1, list(map(embedding, TEXTS))))
    assert (found, tokens, warnings) == (vectors(TEXTS, 1536), 2 * len(TEXTS), "")
    asked = await bedrock.requests("POST", INVOKE)
    assert sorted(each["asked"] for each in asked) == sorted(TEXTS)
    assert 0 < max(each["alongside"] for each in asked) < 8


async def test_one_text_of_titan_with_a_length(bedrock: BedrockWithFake) -> None:
    document = orjson.dumps(embedding("a b", outputDimensionality=256))
    found, tokens, _ = await embedded(bedrock, EmbedRequest(V2, EmbedForm.ONE, document))
    assert (found, tokens) == ([normalized(*vectors(["a b"], 256))], 2)


async def test_cohere_takes_96_texts(bedrock: BedrockWithFake) -> None:
    texts = [f'text {number} [1, 2] " ] [' for number in range(97)]
    requests = [embedding(text, taskType="CLUSTERING") for text in texts]
    found, tokens, warnings = await embedded(bedrock, batch(COHERE, requests))
    words = sum(len(text.split()) for text in texts)
    assert (found, tokens, warnings) == (vectors(texts, 1024), words, "")
    assert len(await bedrock.calls("POST", INVOKE)) == 2


async def test_lengths_of_cohere_v4_are_calls_of_their_own(bedrock: BedrockWithFake) -> None:
    requests = [
        embedding("a", taskType="CLASSIFICATION"),
        embedding("b", taskType="CLASSIFICATION", outputDimensionality=256),
        embedding("c", taskType="CLASSIFICATION"),
    ]
    found, _, _ = await embedded(bedrock, batch("us.cohere.embed-v4:0", requests))
    assert found == [vectors("a", 1536)[0], vectors("b", 256)[0], vectors("c", 1536)[0]]
    assert len(await bedrock.calls("POST", INVOKE)) == 2


async def test_task_types_of_cohere_are_calls_of_their_own(bedrock: BedrockWithFake) -> None:
    types = ["RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY", None]
    requests = [
        embedding(text, **({"taskType": kind} if kind else {}))
        for text, kind in zip("abcd", types, strict=True)
    ]
    found, _, warnings = await embedded(bedrock, batch(COHERE, requests))
    assert found == vectors("abcd", 1024)
    assert warnings == "requests[*].taskType=search_document;count=1"
    asked = await bedrock.requests("POST", INVOKE)
    assert sorted(each["asked"] for each in asked) == ["a c", "b d"]


@pytest.mark.parametrize(
    ("model", "request_", "path"),
    [
        (V1, embedding("a", outputDimensionality=256), "requests[0].outputDimensionality"),
        (V2, embedding("a", outputDimensionality=100), "requests[0].outputDimensionality"),
        (V2, embedding("a", taskType="CLUSTERING"), "requests[0].taskType"),
        (V2, embedding("a", title="t"), "requests[0].title"),
        (COHERE, embedding("a", taskType="FACT_VERIFICATION"), "requests[0].taskType"),
        (COHERE, embedding("a", outputDimensionality=256), "requests[0].outputDimensionality"),
        ("amazon.nova-lite-v1:0", embedding("a"), None),
    ],
)
async def test_what_a_model_cannot_take_is_refused_before_anything_is_sent(
    bedrock: BedrockWithFake, model: str, request_: dict[str, Any], path: str | None
) -> None:
    error = await refused(embedded(bedrock, batch(model, [request_])))
    assert (error.status, error.path) == (Status.INVALID_ARGUMENT, path)
    assert await bedrock.calls("POST", INVOKE) == []


async def test_when_one_text_fails_all_do(bedrock: BedrockWithFake) -> None:
    requests = [embedding("please fail"), *map(embedding, TEXTS)]
    error = await refused(embedded(bedrock, batch(V1, requests)))
    assert (error.status, error.upstream_status) == (Status.INVALID_ARGUMENT, 400)


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        (V1, {"embedding": None}),
        (V1, {"embedding": []}),
        (V1, {"embedding": {}}),
        (COHERE, {"embeddings": [[1.0]]}),
        (COHERE, {"embeddings": [[1.0], [2.0], [3.0]]}),
        (COHERE, {"embeddings": {"int8": [[1], [2]]}}),
    ],
)
async def test_an_answer_that_is_not_one_vector_for_each_text(
    bedrock: BedrockWithFake, model: str, answer: dict[str, Any]
) -> None:
    await bedrock.post("/_fake/settings", {"answer": answer})
    error = await refused(embedded(bedrock, batch(model, [embedding("a"), embedding("b")])))
    assert error.status is Status.UNAVAILABLE
