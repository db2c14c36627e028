from typing import Any

import pytest

from tests.test_providers.test_claude_content.translate import (
    DEFAULT_MAX_TOKENS,
    MODEL,
    dropped,
    message,
    refusal,
    text,
    translate,
    user,
)


def test_the_documented_workflows_request() -> None:
    params, warnings = translate(
        {
            "contents": [user({"text": "What is 2+2?"})],
            "generationConfig": {"responseModalities": ["TEXT"]},
        }
    )
    assert params == {
        "model": MODEL,
        "max_tokens": DEFAULT_MAX_TOKENS,
        "messages": [{"role": "user", "content": [text("What is 2+2?")]}],
    }
    assert warnings == "request.generationConfig.maxOutputTokens=4096;count=1"


def test_all_other_fields_are_next_to_the_messages() -> None:
    params = message(
        systemInstruction={"parts": [{"text": "Be brief."}]},
        generationConfig={"temperature": 0, "maxOutputTokens": 9},
        tools=[{"functionDeclarations": [{"name": "f"}]}],
        toolConfig={"functionCallingConfig": {"mode": "AUTO"}},
    )
    assert set(params) == {
        "model",
        "messages",
        "system",
        "max_tokens",
        "temperature",
        "tools",
        "tool_choice",
    }


@pytest.mark.parametrize(
    ("own", "sent"),
    [(None, MODEL), (f"models/{MODEL}", MODEL), ("models/claude-haiku-4-5", "claude-haiku-4-5")],
)
def test_a_request_may_name_its_own_model(own: str | None, sent: str) -> None:
    assert message(model=own)["model"] == sent


def test_a_batchs_model_may_be_a_resource_name() -> None:
    assert translate({}, model="models/claude-opus-4-6")[0]["model"] == "claude-opus-4-6"


def test_a_requests_own_model_decides_what_is_refused() -> None:
    config = {"temperature": 0.5}
    error = refusal(model="claude-opus-4-7", generationConfig=config)
    assert error.path == "request.generationConfig.temperature"
    own = {"model": "claude-opus-4-6", "generationConfig": config}
    assert translate(own, model="claude-opus-4-7")[0]["temperature"] == 0.5


@pytest.mark.parametrize(
    ("field", "value"),
    [("cachedContent", "cachedContents/c"), ("store", True), ("continuationToken", "AAAA")],
)
def test_fields_without_an_equivalent_at_anthropic(field: str, value: Any) -> None:
    assert refusal(**{field: value}).path == f"request.{field}"


@pytest.mark.parametrize(
    ("fields", "warnings"),
    [
        ({"labels": {"team": "a"}}, "request.labels;count=1"),
        ({"serviceTier": "flex"}, "request.serviceTier;count=1"),
        ({"safetySettings": [{"category": "C", "threshold": "OFF"}]}, ""),
        (
            {"safetySettings": [{"category": "C", "threshold": "BLOCK_ONLY_HIGH"}]},
            "request.safetySettings;count=1",
        ),
    ],
)
def test_dropped_fields(fields: dict[str, Any], warnings: str) -> None:
    assert dropped(**fields) == warnings
    assert set(message(**fields)) == {"model", "messages", "max_tokens"}


def test_thinking_excludes_a_forced_call() -> None:
    def request(mode: str, budget: int) -> dict[str, Any]:
        return {
            "tools": [{"functionDeclarations": [{"name": "f"}]}],
            "toolConfig": {"functionCallingConfig": {"mode": mode}},
            "generationConfig": {"thinkingConfig": {"thinkingBudget": budget}},
        }

    error = refusal(**request("ANY", 2048))
    assert error.path == "request.toolConfig.functionCallingConfig.mode"
    assert message(**request("AUTO", 2048))["thinking"]["type"] == "enabled"
    assert message(**request("ANY", 0))["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize(
    ("model", "forced"),
    [
        ("claude-opus-5-5", False),
        ("claude-sonnet-5-5", False),
        ("claude-fable-5-1", False),
        ("claude-opus-5", True),
    ],
)
def test_newer_models_cannot_be_forced_to_call(model: str, forced: bool) -> None:
    request = {
        "tools": [{"functionDeclarations": [{"name": "f"}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
    }
    if forced:
        params, _ = translate(request, model=model)
        assert params["tool_choice"] == {"type": "any"}
        return
    error = refusal(**request, under={"model": model})
    assert error.path == "request.toolConfig.functionCallingConfig.mode"
    assert model in error.message
