from typing import Any

import pytest

from tests.test_providers.test_bedrock.test_content.translate import (
    CLAUDE,
    NEW_CLAUDE,
    NOVA,
    OPAQUE,
    OTHER,
    options,
    refusal,
)


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
def test_what_a_model_refuses(model: str, config: dict[str, Any], field: str) -> None:
    error = refusal(model=model, generationConfig=config)
    assert error.path == f"request.generationConfig.{field}"


def test_claude_thinks_at_one_temperature() -> None:
    config = {"temperature": 0.5, "thinkingConfig": {"thinkingBudget": 2048}}
    assert refusal(generationConfig=config).path == "request.generationConfig.temperature"
