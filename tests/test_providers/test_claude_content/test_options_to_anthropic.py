from typing import Any

import pytest

from tests.test_providers.test_claude_content.translate import options, refusal, translate

_SCHEMA = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]}
_JSON_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
_JSON = "application/json"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {}),
        ({"temperature": None, "candidateCount": 1, "responseMimeType": "text/plain"}, {}),
        ({"maxOutputTokens": "9"}, {"max_tokens": 9}),
        ({"stopSequences": ["a", " b"]}, {"stop_sequences": ["a", " b"]}),
        ({"presencePenalty": 0, "frequencyPenalty": 0.0}, {}),
        ({"responseLogprobs": False}, {}),
    ],
)
def test_options(config: dict[str, Any], expected: dict[str, Any]) -> None:
    assert options(config) == {"max_tokens": 4096} | expected


def test_the_default_of_max_tokens_is_named_in_the_warnings() -> None:
    given = {"generationConfig": {"maxOutputTokens": 1}}
    path = "request.generationConfig.maxOutputTokens"
    assert translate({})[1] == f"{path}=4096;count=1"
    assert translate(given)[1] == ""


def test_the_default_leaves_room_beside_a_budget_for_thinking() -> None:
    for budget, limit in ((8192, 12288), (0, 4096), (-1, 4096)):
        config = {"thinkingConfig": {"thinkingBudget": budget}}
        params, warnings = translate({"generationConfig": config})
        assert params["max_tokens"] == limit
        assert warnings == f"request.generationConfig.maxOutputTokens={limit};count=1"


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"maxOutputTokens": 0}, "maxOutputTokens"),
        ({"candidateCount": 2}, "candidateCount"),
        ({"seed": 0}, "seed"),
        ({"presencePenalty": 0.1}, "presencePenalty"),
        ({"frequencyPenalty": -1}, "frequencyPenalty"),
        ({"responseLogprobs": True}, "responseLogprobs"),
        ({"logprobs": 1}, "logprobs"),
        ({"stopSequences": ["a", " \n"]}, "stopSequences[1]"),
        ({"stopSequences": [""]}, "stopSequences[0]"),
        ({"responseMimeType": _JSON}, "responseMimeType"),
        ({"responseMimeType": "text/x.enum", "responseSchema": _SCHEMA}, "responseMimeType"),
        ({"responseSchema": _SCHEMA}, "responseSchema"),
        ({"responseJsonSchema": _JSON_SCHEMA}, "responseJsonSchema"),
        (
            {
                "responseMimeType": _JSON,
                "responseSchema": _SCHEMA,
                "responseJsonSchema": _JSON_SCHEMA,
            },
            "responseJsonSchema",
        ),
        (
            {"responseMimeType": _JSON, "responseSchema": {"type": "STRING", "maxLength": 3}},
            "responseSchema.maxLength",
        ),
        ({"responseModalities": ["TEXT", "AUDIO"]}, "responseModalities"),
        ({"mediaResolution": "MEDIA_RESOLUTION_LOW"}, "mediaResolution"),
        ({"speechConfig": {}}, "speechConfig"),
        ({"imageConfig": {}}, "imageConfig"),
        ({"audioTranscriptionConfig": {}}, "audioTranscriptionConfig"),
        ({"enableEnhancedCivicAnswers": True}, "enableEnhancedCivicAnswers"),
    ],
)
def test_fields_without_an_equivalent_at_anthropic(config: dict[str, Any], field: str) -> None:
    assert refusal(generationConfig=config).path == f"request.generationConfig.{field}"


@pytest.mark.parametrize(
    "schema",
    [
        {"responseSchema": _SCHEMA},
        {"responseJsonSchema": _JSON_SCHEMA},
        {"responseJsonSchema": _JSON_SCHEMA | {"additionalProperties": False}},
    ],
)
def test_an_answer_by_a_schema(schema: dict[str, Any]) -> None:
    closed = _JSON_SCHEMA | {"additionalProperties": False}
    output_config = {"format": {"type": "json_schema", "schema": closed}}
    assert options({"responseMimeType": _JSON} | schema)["output_config"] == output_config
