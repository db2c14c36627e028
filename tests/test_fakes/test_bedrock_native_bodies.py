"""How the fake Bedrock answers each record of an InvokeModel job."""

import math
from typing import Any

import pytest

from .fake_bedrock_client import FakeBedrockClient, said

NOVA = "us.amazon.nova-lite-v1:0"
TITAN = "amazon.titan-embed-text-v2:0"
COHERE = "cohere.embed-english-v3"
COHERE_V4 = "cohere.embed-v4:0"
INVOKE = {"modelInvocationType": "InvokeModel"}


def claude(text: str, **more: Any) -> dict[str, Any]:
    return {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": text}],
        **more,
    }


def test_claude_answers_a_message(bedrock: FakeBedrockClient) -> None:
    output = bedrock.one(claude("hello"), **INVOKE)["modelOutput"]
    assert output["content"] == [{"type": "text", "text": "echo: hello"}]
    assert (output["model"], output["stop_reason"]) == ("claude-haiku-4-5-20251001", "end_turn")
    assert "service_tier" not in output["usage"]


def test_an_older_claude_names_itself(bedrock: FakeBedrockClient) -> None:
    older = "anthropic.claude-3-5-sonnet-20241022-v2:0"
    output = bedrock.one(claude("hello"), modelId=older, **INVOKE)["modelOutput"]
    assert output["model"] == "claude-3-5-sonnet-20241022"


def test_claude_calls_tools_in_a_job(bedrock: FakeBedrockClient) -> None:
    tool = {
        "name": "t",
        "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}},
    }
    body = claude("call the tool", tools=[tool])
    [block] = bedrock.one(body, **INVOKE)["modelOutput"]["content"]
    assert (block["type"], block["input"]) == ("tool_use", {"a": "text"})


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"anthropic_version": None}, "anthropic_version"),
        ({"anthropic_version": "2023-06-01"}, "anthropic_version"),
        ({"max_tokens": None}, "max_tokens"),
        ({"model": "claude-haiku-4-5"}, "model: Extra"),
        ({"stream": False}, "stream: Extra"),
        ({"service_tier": "auto"}, "service_tier: Extra"),
        ({"anthropic_beta": "a"}, "anthropic_beta"),
        ({"surprise": 1}, "surprise: Unknown"),
        ({"messages": [{"role": "user", "content": "please fail"}]}, "asked to fail"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}}
                        ],
                    }
                ]
            },
            "url",
        ),
    ],
)
def test_an_invalid_body_for_claude_is_an_error(
    bedrock: FakeBedrockClient, change: dict[str, Any], where: str
) -> None:
    body = {name: value for name, value in claude("a", **change).items() if value is not None}
    assert where in bedrock.error(body, **INVOKE)


def test_a_converse_body_is_invalid_for_claude(bedrock: FakeBedrockClient) -> None:
    assert "anthropic_version" in bedrock.error(said("a"), **INVOKE)


def test_an_unknown_native_body_is_refused(bedrock: FakeBedrockClient) -> None:
    assert "native body" in bedrock.error({"prompt": "a"}, modelId=NOVA, **INVOKE)


# --- embeddings ------------------------------------------------------------------------------


def test_titan_embeds(bedrock: FakeBedrockClient) -> None:
    first, second = bedrock.run(
        {"inputText": "a text"},
        {"inputText": "a text", "dimensions": 256, "normalize": False},
        modelId=TITAN,
        **INVOKE,
    )
    values = first["modelOutput"]["embedding"]
    assert (len(values), first["modelOutput"]["inputTextTokenCount"]) == (1024, 2)
    assert math.hypot(*values) == pytest.approx(1, abs=1e-4)
    assert len(second["modelOutput"]["embedding"]) == 256
    assert math.hypot(*second["modelOutput"]["embedding"]) > 2


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "inputText"),
        ({"inputText": ""}, "inputText"),
        ({"inputText": "a", "dimensions": 100}, "dimensions"),
        ({"inputText": "a", "taskType": "x"}, "taskType"),
        ({"inputText": "please fail"}, "asked to fail"),
    ],
)
def test_an_invalid_body_for_titan_is_an_error(
    bedrock: FakeBedrockClient, body: dict[str, Any], where: str
) -> None:
    assert where in bedrock.error(body, modelId=TITAN, **INVOKE)


def test_cohere_v4_has_embeddings_of_four_lengths(bedrock: FakeBedrockClient) -> None:
    body = {"texts": ["a"], "input_type": "search_query"}
    for size, asked in ((1536, body), (256, {**body, "output_dimension": 256})):
        output = bedrock.one(asked, modelId=COHERE_V4, **INVOKE)["modelOutput"]
        assert [len(values) for values in output["embeddings"]] == [size]
    odd = {**body, "output_dimension": 100}
    assert "output_dimension" in bedrock.error(odd, modelId=COHERE_V4, **INVOKE)
    assert "output_dimension" in bedrock.error(odd, modelId=COHERE, **INVOKE)


def test_cohere_embeds(bedrock: FakeBedrockClient) -> None:
    body = {"texts": ["a", "b"], "input_type": "search_document"}
    output = bedrock.one(body, modelId=COHERE, **INVOKE)["modelOutput"]
    assert [len(values) for values in output["embeddings"]] == [1024, 1024]
    assert output["texts"] == ["a", "b"]
    typed = bedrock.one({**body, "embedding_types": ["float"]}, modelId=COHERE, **INVOKE)
    assert typed["modelOutput"]["embeddings"] == {"float": output["embeddings"]}
    assert "input_type" in bedrock.error({"texts": ["a"]}, modelId=COHERE, **INVOKE)
