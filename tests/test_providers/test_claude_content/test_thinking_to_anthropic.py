from typing import Any

import pytest

from tests.test_providers.test_claude_content.translate import dropped, options, refusal

_SHOWN, _OMITTED = {"display": "summarized"}, {"display": "omitted"}
_ADAPTIVE = {"type": "adaptive"}


def _thinking(
    config: dict[str, Any], model: str = "claude-opus-4-6", **others: Any
) -> tuple[Any, Any]:
    """The `thinking` and `output_config` for a ThinkingConfig."""
    params = options({"thinkingConfig": config} | others, model=model)
    return params.get("thinking"), params.get("output_config")


@pytest.mark.parametrize(
    ("config", "thinking", "output_config"),
    [
        ({}, None, None),
        ({"includeThoughts": False}, None, None),
        ({"thinkingBudget": 0}, {"type": "disabled"}, None),
        ({"thinkingBudget": 0, "includeThoughts": True}, {"type": "disabled"}, None),
        (
            {"thinkingBudget": 1024},
            {"type": "enabled", "budget_tokens": 1024} | _OMITTED,
            None,
        ),
        (
            {"thinking_budget": 4095, "include_thoughts": True},
            {"type": "enabled", "budget_tokens": 4095} | _SHOWN,
            None,
        ),
        ({"thinkingBudget": -1}, _ADAPTIVE | _OMITTED, None),
        ({"thinkingBudget": -1, "includeThoughts": True}, _ADAPTIVE | _SHOWN, None),
        ({"includeThoughts": True}, _ADAPTIVE | _SHOWN, None),
        ({"thinkingLevel": "MINIMAL"}, _ADAPTIVE | _OMITTED, {"effort": "low"}),
        ({"thinkingLevel": "LOW"}, _ADAPTIVE | _OMITTED, {"effort": "low"}),
        ({"thinkingLevel": "MEDIUM"}, _ADAPTIVE | _OMITTED, {"effort": "medium"}),
        (
            {"thinking_level": "high", "include_thoughts": True},
            _ADAPTIVE | _SHOWN,
            {"effort": "high"},
        ),
    ],
)
def test_thinking(config: dict[str, Any], thinking: Any, output_config: Any) -> None:
    assert _thinking(config) == (thinking, output_config)


def test_the_lowest_level_is_a_small_difference() -> None:
    def warnings(level: str) -> str:
        return dropped(generationConfig={"thinkingConfig": {"thinkingLevel": level}})

    path = "request.generationConfig.thinkingConfig.thinkingLevel"
    assert warnings("MINIMAL") == f"{path};count=1"
    assert warnings("LOW") == ""


def test_a_budget_is_below_the_limit_of_output_tokens() -> None:
    thinking, _ = _thinking({"thinkingBudget": 5000}, maxOutputTokens=5001)
    assert thinking["budget_tokens"] == 5000
    config = {"maxOutputTokens": 5000, "thinkingConfig": {"thinkingBudget": 5000}}
    refused = refusal(generationConfig=config)
    assert refused.path == "request.generationConfig.thinkingConfig.thinkingBudget"


def test_an_effort_and_a_format() -> None:
    params = options(
        {
            "thinkingConfig": {"thinkingLevel": "LOW"},
            "responseMimeType": "application/json",
            "responseSchema": {"type": "STRING"},
        }
    )
    assert params["output_config"] == {
        "format": {"type": "json_schema", "schema": {"type": "string"}},
        "effort": "low",
    }


@pytest.mark.parametrize(
    ("model", "config", "field"),
    [
        ("claude-opus-4-6", {"thinkingBudget": 1023}, "thinkingBudget"),
        ("claude-opus-4-6", {"thinkingBudget": 1}, "thinkingBudget"),
        ("claude-opus-4-6", {"thinkingBudget": -2}, "thinkingBudget"),
        ("claude-opus-4-6", {"thinkingBudget": 0, "thinkingLevel": "LOW"}, "thinkingBudget"),
        ("claude-opus-4-6", {"thinkingLevel": "XHIGH"}, "thinkingLevel"),
        ("claude-opus-4-7", {"thinkingBudget": 2048}, "thinkingBudget"),
        ("claude-fable-5", {"thinkingBudget": 0}, "thinkingBudget"),
        ("claude-fable-5-1", {"thinkingBudget": 0}, "thinkingBudget"),
        ("claude-opus-5-5", {"thinkingBudget": 0}, "thinkingBudget"),
        ("claude-sonnet-5-5", {"thinkingBudget": 0}, "thinkingBudget"),
        ("claude-sonnet-4-5", {"thinkingBudget": -1}, "thinkingBudget"),
        (
            "claude-sonnet-4-5",
            {"includeThoughts": True, "thinkingLevel": "LOW"},
            "thinkingLevel",
        ),
        ("claude-sonnet-4-5", {"includeThoughts": True}, "includeThoughts"),
    ],
)
def test_settings_that_a_model_refuses(model: str, config: dict[str, Any], field: str) -> None:
    error = refusal(generationConfig={"thinkingConfig": config}, under={"model": model})
    assert error.path == f"request.generationConfig.thinkingConfig.{field}"


def test_settings_that_newer_models_accept() -> None:
    assert _thinking({"thinkingBudget": 0}, "claude-opus-4-7")[0] == {"type": "disabled"}
    assert _thinking({"thinkingBudget": -1}, "claude-fable-5")[0] == _ADAPTIVE | _OMITTED
