from typing import Any

import orjson
import pytest

from tests.test_providers.test_bedrock.test_content.translate import (
    CLAUDE,
    NOVA,
    OTHER,
    dropped,
    options,
    refusal,
)

_SCHEMA: dict[str, Any] = {
    "type": "OBJECT",
    "properties": {"a": {"type": "STRING"}},
    "required": ["a"],
}
_JSON_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
_JSON = "application/json"


@pytest.mark.parametrize(
    ("config", "inference"),
    [
        ({"maxOutputTokens": "9"}, {"maxTokens": 9}),
        ({"stopSequences": ["a", " b"]}, {"stopSequences": ["a", " b"]}),
    ],
)
@pytest.mark.parametrize("model", [CLAUDE, NOVA, OTHER])
def test_options(model: str, config: dict[str, Any], inference: dict[str, Any]) -> None:
    assert options(config, model) == {"inferenceConfig": inference}
    assert dropped(model=model, generationConfig=config) == ""


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"temperature": None, "candidateCount": 1, "responseMimeType": "text/plain"},
        {"presencePenalty": 0, "frequencyPenalty": 0.0},
        {"responseLogprobs": False, "responseModalities": ["TEXT"]},
    ],
)
def test_what_says_nothing(config: dict[str, Any]) -> None:
    assert options(config) == {}
    assert dropped(generationConfig=config) == ""


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"maxOutputTokens": 0}, "maxOutputTokens"),
        ({"maxOutputTokens": 2**31}, "maxOutputTokens"),
        ({"candidateCount": 2}, "candidateCount"),
        ({"seed": 0}, "seed"),
        ({"presencePenalty": 0.1}, "presencePenalty"),
        ({"frequencyPenalty": -1}, "frequencyPenalty"),
        ({"responseLogprobs": True}, "responseLogprobs"),
        ({"logprobs": 1}, "logprobs"),
        ({"stopSequences": ["a", ""]}, "stopSequences[1]"),
        ({"stopSequences": ["a"] * 2501}, "stopSequences"),
        ({"responseMimeType": _JSON}, "responseMimeType"),
        ({"responseMimeType": "text/x.enum", "responseSchema": _SCHEMA}, "responseMimeType"),
        ({"responseSchema": _SCHEMA}, "responseSchema"),
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
@pytest.mark.parametrize("model", [CLAUDE, OTHER])
def test_what_bedrock_has_no_equivalent_of(model: str, config: dict[str, Any], field: str) -> None:
    error = refusal(model=model, generationConfig=config)
    assert error.path == f"request.generationConfig.{field}"


def test_claude_stops_at_no_white_space_alone() -> None:
    config = {"stopSequences": ["\n"]}
    assert refusal(generationConfig=config).path == "request.generationConfig.stopSequences[0]"
    assert options(config, NOVA) == {"inferenceConfig": config}


@pytest.mark.parametrize(
    "schema",
    [
        {"responseSchema": _SCHEMA},
        {"responseJsonSchema": _JSON_SCHEMA},
        {"responseJsonSchema": _JSON_SCHEMA | {"additionalProperties": False}},
    ],
)
@pytest.mark.parametrize("model", [CLAUDE, OTHER])
def test_an_answer_by_a_schema(model: str, schema: dict[str, Any]) -> None:
    asked = options({"responseMimeType": _JSON} | schema, model)
    text_format = asked.pop("outputConfig")["textFormat"]
    assert asked == {}
    assert text_format["type"] == "json_schema"
    json_schema = text_format["structure"]["jsonSchema"]
    assert json_schema["name"] == "response"
    assert orjson.loads(json_schema["schema"]) == _JSON_SCHEMA | {"additionalProperties": False}
