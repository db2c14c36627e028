from typing import Any

import pytest

from tests.test_providers.test_openai_content.translate import chat, dropped, refusal, user


def test_the_documented_workflows_request() -> None:
    body = chat(
        contents=[user({"text": "What is 2+2?"})],
        generationConfig={"responseModalities": ["TEXT"]},
    )
    assert body == {
        "model": "gpt-test",
        "messages": [{"role": "user", "content": "What is 2+2?"}],
    }


def test_options_and_tools_are_next_to_the_messages() -> None:
    body = chat(
        generationConfig={"temperature": 0},
        tools=[{"functionDeclarations": [{"name": "f"}]}],
        toolConfig={"functionCallingConfig": {"mode": "AUTO"}},
    )
    assert set(body) == {"model", "messages", "temperature", "tools", "tool_choice"}


@pytest.mark.parametrize("model", ["gpt-test", "models/gpt-test"])
def test_a_request_may_name_the_batchs_own_model(model: str) -> None:
    assert chat(model=model)["model"] == "gpt-test"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", "models/other"),
        ("cachedContent", "cachedContents/c"),
        ("store", True),
        ("continuationToken", "AAAA"),
    ],
)
def test_fields_without_an_equivalent_at_openai(field: str, value: object) -> None:
    assert refusal(**{field: value}).path == f"request.{field}"


@pytest.mark.parametrize(
    ("fields", "warnings"),
    [
        ({"labels": {"team": "a"}}, "request.labels;count=1"),
        ({"serviceTier": "flex"}, "request.serviceTier;count=1"),
        ({"serviceTier": "unspecified", "store": False}, ""),
        ({"safetySettings": []}, ""),
        ({"safetySettings": [{"category": "C", "threshold": "BLOCK_NONE"}]}, ""),
        ({"safetySettings": [{"category": "C", "threshold": "OFF"}]}, ""),
        (
            {
                "safetySettings": [
                    {"category": "C", "threshold": "OFF"},
                    {"category": "D", "threshold": "BLOCK_ONLY_HIGH"},
                    {"category": "E"},
                ]
            },
            "request.safetySettings;count=1",
        ),
    ],
)
def test_dropped_fields(fields: dict[str, Any], warnings: str) -> None:
    assert dropped(**fields) == warnings
    assert set(chat(**fields)) == {"model", "messages"}


# JSON without a schema.

_JSON = {"responseMimeType": "application/json"}


@pytest.mark.parametrize(
    "fields",
    [
        {"contents": [user({"text": "Answer in Json."})]},
        {"contents": [user({"text": "a"}, {"text": "in JSON"})]},
        {"systemInstruction": {"parts": [{"text": "json"}]}},
    ],
)
def test_json_mode_if_the_prompt_mentions_json(fields: dict[str, Any]) -> None:
    assert chat(**fields, generationConfig=_JSON)["response_format"] == {"type": "json_object"}


def test_json_mode_is_refused_without_json_in_the_prompt() -> None:
    png = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    error = refusal(contents=[user({"text": "Hello"}, png)], generationConfig=_JSON)
    assert error.path == "request.generationConfig.responseMimeType"
    assert "JSON" in error.message
