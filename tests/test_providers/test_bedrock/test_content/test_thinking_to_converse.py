from typing import Any

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

_AT = "request.generationConfig.thinkingConfig"


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
    assert warnings == f"{_AT}.includeThoughts;count=1, {_AT}.thinkingLevel;count=1"


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
def test_what_a_model_refuses(model: str, config: dict[str, Any], field: str) -> None:
    error = refusal(model=model, generationConfig={"thinkingConfig": config})
    assert error.path == f"{_AT}.{field}"


def test_a_budget_within_the_most_tokens_where_they_are_given() -> None:
    config = {"maxOutputTokens": 2048, "thinkingConfig": {"thinkingBudget": 2048}}
    assert refusal(generationConfig=config).path == f"{_AT}.thinkingBudget"
