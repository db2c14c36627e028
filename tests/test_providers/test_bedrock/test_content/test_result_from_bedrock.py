from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.bedrock.content.bedrock_models import InvocationType
from providers.bedrock.content.result_from_bedrock import (
    echoed,
    from_cohere_embeddings,
    from_titan_embedding,
    result_from_bedrock,
)
from providers.errors import FerryError
from providers.status import Status
from tests.test_providers.test_bedrock.test_content.translate import converse

CONVERSE, INVOKE_MODEL = InvocationType.CONVERSE, InvocationType.INVOKE_MODEL
_REASONING = {"reasoningContent": {"reasoningText": {"text": "Hm"}}}
_ANSWER: dict[str, Any] = {
    "output": {"message": {"role": "assistant", "content": [_REASONING, {"text": "4"}]}},
    "stopReason": "end_turn",
}
_MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "4"}]}


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


def _line(**members: Any) -> dict[str, Any]:
    return {"recordId": "r0000000001", "modelInput": {}} | members


def _texts(result: dict[str, Any]) -> list[str]:
    assert set(result) == {"response"}
    parts = result["response"]["candidates"][0]["content"]["parts"]
    return [part["text"] for part in parts]


@pytest.mark.parametrize(
    ("output", "invocation"),
    [(_ANSWER, CONVERSE), (_ANSWER, INVOKE_MODEL), (_MESSAGE, INVOKE_MODEL)],
)
def test_an_answer(output: dict[str, Any], invocation: InvocationType) -> None:
    assert _texts(result_from_bedrock(_line(modelOutput=output), invocation)) == ["4"]
    answered = _line(modelOutput=output, error=None)
    del answered["modelInput"]
    assert _texts(result_from_bedrock(answered, invocation)) == ["4"]


@pytest.mark.parametrize(
    ("output", "embedding"),
    [
        ({"embedding": [0.5], "inputTextTokenCount": 1}, {"tokenCount": "1"}),
        ({"embeddings": [[0.5]], "id": "a", "texts": ["a"]}, {}),
    ],
)
def test_an_embedding(output: dict[str, Any], embedding: dict[str, Any]) -> None:
    assert result_from_bedrock(_line(modelOutput=output), INVOKE_MODEL) == {
        "response": {"embedding": {"values": [0.5]}} | embedding
    }


@pytest.mark.parametrize(
    ("thinking", "texts"),
    [
        ({"type": "adaptive", "display": "summarized"}, ["Hm", "4"]),
        ({"type": "enabled", "budget_tokens": 1024}, ["Hm", "4"]),
        ({"type": "adaptive", "display": "omitted"}, ["4"]),
        ({"type": "disabled"}, ["4"]),
        (None, ["4"]),
        ("odd", ["4"]),
    ],
)
def test_thoughts_requested_in_the_echoed_request(thinking: Any, texts: list[str]) -> None:
    echo = {"additionalModelRequestFields": {"thinking": thinking}}
    line = _line(modelInput=echo, modelOutput=_ANSWER)
    assert _texts(result_from_bedrock(line, CONVERSE)) == texts
    read = echoed(echo)
    assert _texts(result_from_bedrock({**line, "modelInput": {}, **read}, CONVERSE)) == texts


@pytest.mark.parametrize("model_input", [None, 3, {}, {"additionalModelRequestFields": 3}])
def test_unread_members_are_not_echoed(model_input: Any) -> None:
    assert echoed(model_input) == {}


def test_only_readable_members_are_echoed() -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    fields = {"thinking": thinking, "top_k": 3}
    echo = {"additionalModelRequestFields": {"thinking": {"type": "enabled"}}}
    asked = {"messages": [], "additionalModelRequestFields": fields}
    assert echoed(asked) == {"modelInput": echo}


@pytest.mark.parametrize(("asked", "texts"), [(True, ["Hm", "4"]), (False, ["4"])])
def test_thoughts_requested_in_the_translated_request(asked: bool, texts: list[str]) -> None:
    config = {"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": asked}}
    line = _line(modelInput=converse(generationConfig=config), modelOutput=_ANSWER)
    assert _texts(result_from_bedrock(line, CONVERSE)) == texts


@pytest.mark.parametrize(
    ("code", "rpc"),
    [
        (400, 3),
        (401, 16),
        (403, 7),
        (404, 5),
        (408, 4),
        (424, 3),
        (429, 8),
        (500, 14),
        (503, 14),
        ("400", 3),
        (0, 2),
        ("often", 2),
        (True, 2),
        (None, 2),
    ],
)
def test_a_refusal(code: Any, rpc: int) -> None:
    line = _line(error={"errorCode": code, "errorMessage": "bad request"})
    expected = {"error": {"code": rpc, "message": "bad request"}}
    assert result_from_bedrock(line, CONVERSE) == expected
    assert result_from_bedrock(line | {"modelOutput": _ANSWER}, INVOKE_MODEL) == expected


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"errorCode": 400}, "Bedrock answered with 400"),
        ({"errorMessage": None}, "Bedrock gave no reason"),
    ],
)
def test_a_refusal_without_a_reason(error: dict[str, Any], message: str) -> None:
    assert result_from_bedrock(_line(error=error), CONVERSE)["error"]["message"] == message


@pytest.mark.parametrize(
    ("output", "invocation", "code"),
    [
        (None, CONVERSE, 13),
        ([], CONVERSE, 13),
        ({}, CONVERSE, 13),
        (_MESSAGE, CONVERSE, 13),
        ({"output": None}, INVOKE_MODEL, 13),
        ({"embedding": None}, INVOKE_MODEL, 13),
        ({"generation": "4", "stop_reason": "stop"}, INVOKE_MODEL, 12),
        ({"choices": []}, INVOKE_MODEL, 12),
        ({}, INVOKE_MODEL, 12),
    ],
)
def test_requests_that_cannot_be_translated(
    output: Any, invocation: InvocationType, code: int
) -> None:
    result = result_from_bedrock(_line(modelOutput=output), invocation)
    assert result["error"]["code"] == code
    assert result["error"]["message"]


_NAMES = st.sampled_from(
    [
        "output",
        "message",
        "content",
        "text",
        "type",
        "toolUse",
        "reasoningContent",
        "reasoningText",
        "citationsContent",
        "embedding",
        "embeddings",
        "usage",
        "stopReason",
        "inputTokens",
        "errorCode",
    ]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(
    members=st.fixed_dictionaries(
        {}, optional={"modelInput": _JSON, "modelOutput": _JSON, "error": _JSON}
    ),
    invocation=st.sampled_from(InvocationType),
)
def test_any_line_is_one_result(members: dict[str, Any], invocation: InvocationType) -> None:
    result = result_from_bedrock({"recordId": "a"} | members, invocation)
    assert len(result) == 1
    assert result.keys() <= {"response", "error"}
    orjson.dumps(result)
