from typing import Any

import pytest

from tests.test_providers.test_openai_content.translate import chat, dropped, refusal

_SCHEMA = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a"]}
_JSON_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
_JSON = "application/json"


def _options(**config: Any) -> dict[str, Any]:
    body = chat(generationConfig=config)
    return {name: value for name, value in body.items() if name not in ("model", "messages")}


@pytest.mark.parametrize(
    ("config", "options"),
    [
        ({}, {}),
        ({"temperature": None, "candidateCount": 1, "responseMimeType": "text/plain"}, {}),
        ({"maxOutputTokens": 9}, {"max_completion_tokens": 9}),
        ({"temperature": 0}, {"temperature": 0}),
        ({"temperature": 2}, {"temperature": 2}),
        ({"topP": 0.5}, {"top_p": 0.5}),
        ({"stopSequences": ["a", "b", "c", "d"]}, {"stop": ["a", "b", "c", "d"]}),
        ({"candidateCount": 2}, {"n": 2}),
        ({"seed": 7}, {"seed": 7}),
        ({"presencePenalty": -2}, {"presence_penalty": -2}),
        ({"frequencyPenalty": 0.5}, {"frequency_penalty": 0.5}),
        ({"responseLogprobs": True}, {"logprobs": True}),
        ({"responseLogprobs": True, "logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"thinkingConfig": {}}, {}),
        ({"thinkingConfig": {"thinkingBudget": 0}}, {"reasoning_effort": "none"}),
        ({"thinkingConfig": {"thinkingLevel": "MINIMAL"}}, {"reasoning_effort": "minimal"}),
        ({"thinkingConfig": {"thinkingLevel": "LOW"}}, {"reasoning_effort": "low"}),
        ({"thinkingConfig": {"thinkingLevel": "MEDIUM"}}, {"reasoning_effort": "medium"}),
        ({"thinking_config": {"thinking_level": "high"}}, {"reasoning_effort": "high"}),
    ],
)
def test_options(config: dict[str, Any], options: dict[str, Any]) -> None:
    assert _options(**config) == options


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"maxOutputTokens": 0}, "maxOutputTokens"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": -1}, "temperature"),
        ({"topP": 1.5}, "topP"),
        ({"topK": 3.0}, "topK"),
        ({"candidateCount": 0}, "candidateCount"),
        ({"stopSequences": ["a"] * 5}, "stopSequences"),
        ({"presencePenalty": 2.1}, "presencePenalty"),
        ({"frequencyPenalty": -2.1}, "frequencyPenalty"),
        ({"logprobs": 3}, "logprobs"),
        ({"responseLogprobs": True, "logprobs": 21}, "logprobs"),
        ({"responseMimeType": "text/x.enum"}, "responseMimeType"),
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
            {"responseMimeType": _JSON, "responseSchema": {"type": "TYPE_UNSPECIFIED"}},
            "responseSchema.type",
        ),
        ({"responseModalities": ["TEXT", "AUDIO"]}, "responseModalities"),
        ({"responseModalities": ["IMAGE"]}, "responseModalities"),
        ({"thinkingConfig": {"thinkingBudget": 1024}}, "thinkingConfig.thinkingBudget"),
        ({"thinkingConfig": {"thinkingBudget": -1}}, "thinkingConfig.thinkingBudget"),
        (
            {"thinkingConfig": {"thinkingBudget": 0, "thinkingLevel": "LOW"}},
            "thinkingConfig.thinkingBudget",
        ),
        ({"thinkingConfig": {"thinkingLevel": "XHIGH"}}, "thinkingConfig.thinkingLevel"),
        ({"mediaResolution": "MEDIA_RESOLUTION_LOW"}, "mediaResolution"),
        ({"speechConfig": {}}, "speechConfig"),
        ({"imageConfig": {"aspectRatio": "1:1"}}, "imageConfig"),
        ({"audioTranscriptionConfig": {}}, "audioTranscriptionConfig"),
        ({"enableEnhancedCivicAnswers": True}, "enableEnhancedCivicAnswers"),
    ],
)
def test_fields_without_an_equivalent_at_openai(config: dict[str, Any], field: str) -> None:
    assert refusal(generationConfig=config).path == f"request.generationConfig.{field}"


def test_thoughts_cannot_be_included() -> None:
    config = {"thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"}}
    path = "request.generationConfig.thinkingConfig.includeThoughts"
    assert dropped(generationConfig=config) == f"{path};count=1"
    assert _options(**config) == {"reasoning_effort": "low"}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"responseSchema": _SCHEMA}, False),
        ({"responseSchema": _SCHEMA | {"additionalProperties": False}}, True),
        ({"responseJsonSchema": _JSON_SCHEMA}, False),
        ({"responseJsonSchema": _JSON_SCHEMA | {"additionalProperties": False}}, True),
    ],
)
def test_an_answer_by_a_schema(schema: dict[str, Any], strict: bool) -> None:
    closed = {"additionalProperties": False} if strict else {}
    assert _options(responseMimeType=_JSON, **schema) == {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "response", "schema": _JSON_SCHEMA | closed, "strict": strict},
        }
    }
