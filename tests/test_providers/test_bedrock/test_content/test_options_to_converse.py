from typing import Any

import orjson
import pytest

from tests.test_providers.test_bedrock.test_content.translate import (
    CLAUDE,
    NEW_CLAUDE,
    NOVA,
    OPAQUE,
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
_THOUGHT = "request.generationConfig.thinkingConfig"


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
def test_empty_settings(config: dict[str, Any]) -> None:
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
def test_fields_without_an_equivalent_at_bedrock(
    model: str, config: dict[str, Any], field: str
) -> None:
    error = refusal(model=model, generationConfig=config)
    assert error.path == f"request.generationConfig.{field}"


def test_claude_has_no_blank_stop_sequence() -> None:
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


@pytest.mark.parametrize(
    ("model", "config", "expected"),
    [
        (CLAUDE, {"temperature": 0.5}, {"inferenceConfig": {"temperature": 0.5}}),
        (CLAUDE, {"topP": 0.5}, {"inferenceConfig": {"topP": 0.5}}),
        (CLAUDE, {"topK": 3.0}, {"additionalModelRequestFields": {"top_k": 3}}),
        (NOVA, {"topK": 3.0}, {"additionalModelRequestFields": {"inferenceConfig": {"topK": 3}}}),
        (
            NOVA,
            {"temperature": 0, "topP": 1},
            {"inferenceConfig": {"temperature": 0, "topP": 1}},
        ),
        (
            OTHER,
            {"temperature": 1, "topP": 0.1},
            {"inferenceConfig": {"temperature": 1, "topP": 0.1}},
        ),
        (OPAQUE, {"temperature": 0.5}, {"inferenceConfig": {"temperature": 0.5}}),
    ],
)
def test_sampling(model: str, config: dict[str, Any], expected: dict[str, Any]) -> None:
    assert options(config, model) == expected


@pytest.mark.parametrize(
    ("model", "config", "field"),
    [
        (CLAUDE, {"temperature": 1.1}, "temperature"),
        (CLAUDE, {"temperature": 0.5, "topP": 0.5}, "topP"),
        (CLAUDE, {"topK": -1}, "topK"),
        (NEW_CLAUDE, {"temperature": 1}, "temperature"),
        (NEW_CLAUDE, {"topP": 1}, "topP"),
        (NEW_CLAUDE, {"topK": 3}, "topK"),
        (NOVA, {"temperature": 1.1}, "temperature"),
        (NOVA, {"topK": 129}, "topK"),
        (NOVA, {"topK": -1}, "topK"),
        (OTHER, {"temperature": -0.1}, "temperature"),
        (OTHER, {"topP": 1.1}, "topP"),
        (OTHER, {"topK": 3}, "topK"),
        (OPAQUE, {"topK": 3}, "topK"),
    ],
)
def test_sampling_that_a_model_refuses(model: str, config: dict[str, Any], field: str) -> None:
    error = refusal(model=model, generationConfig=config)
    assert error.path == f"request.generationConfig.{field}"


def test_claude_thinks_at_one_temperature() -> None:
    config = {"temperature": 0.5, "thinkingConfig": {"thinkingBudget": 2048}}
    assert refusal(generationConfig=config).path == "request.generationConfig.temperature"


def _thinking(**param: Any) -> dict[str, Any]:
    return {"additionalModelRequestFields": {"thinking": param}}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"thinkingBudget": 0}, _thinking(type="disabled")),
        (
            {"thinkingBudget": 2048},
            _thinking(type="enabled", budget_tokens=2048, display="omitted"),
        ),
        ({"thinkingBudget": -1}, _thinking(type="adaptive", display="omitted")),
        ({"includeThoughts": True}, _thinking(type="adaptive", display="summarized")),
        (
            {"thinkingLevel": "HIGH"},
            _thinking(type="adaptive", display="omitted") | {"outputConfig": {"effort": "high"}},
        ),
    ],
)
def test_claudes_thinking(config: dict[str, Any], expected: dict[str, Any]) -> None:
    assert options({"thinkingConfig": config}, CLAUDE) == expected


@pytest.mark.parametrize("model", [NOVA, OTHER, OPAQUE])
def test_the_effort_of_other_models(model: str) -> None:
    config = {"thinkingLevel": "MINIMAL", "includeThoughts": True}
    asked = options({"thinkingConfig": config}, model)
    assert asked == {"outputConfig": {"effort": "low"}}
    warnings = dropped(model=model, generationConfig={"thinkingConfig": config})
    assert warnings == f"{_THOUGHT}.includeThoughts;count=1, {_THOUGHT}.thinkingLevel;count=1"


@pytest.mark.parametrize(
    ("model", "config", "field"),
    [
        (CLAUDE, {"thinkingBudget": 1023}, "thinkingBudget"),
        (CLAUDE, {"thinkingBudget": 2048, "thinkingLevel": "LOW"}, "thinkingBudget"),
        (NEW_CLAUDE, {"thinkingBudget": 2048}, "thinkingBudget"),
        (OTHER, {"thinkingBudget": 2048}, "thinkingBudget"),
        (OPAQUE, {"thinkingBudget": 0}, "thinkingBudget"),
        (OTHER, {"thinkingLevel": "EXTREME"}, "thinkingLevel"),
    ],
)
def test_thinking_that_a_model_refuses(model: str, config: dict[str, Any], field: str) -> None:
    error = refusal(model=model, generationConfig={"thinkingConfig": config})
    assert error.path == f"{_THOUGHT}.{field}"


def test_a_budget_is_below_the_given_limit_of_tokens() -> None:
    config = {"maxOutputTokens": 2048, "thinkingConfig": {"thinkingBudget": 2048}}
    assert refusal(generationConfig=config).path == f"{_THOUGHT}.thinkingBudget"
