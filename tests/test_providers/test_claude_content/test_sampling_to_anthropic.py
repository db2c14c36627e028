from typing import Any

import pytest

from tests.test_providers.test_claude_content.translate import options, refusal, translate


def _sampled(config: dict[str, Any], model: str = "claude-sonnet-4-0") -> dict[str, Any]:
    params = options(config, model=model)
    return {name: params[name] for name in ("temperature", "top_p", "top_k") if name in params}


@pytest.mark.parametrize(
    ("config", "sampling"),
    [
        ({"temperature": None}, {}),
        ({"temperature": 0}, {"temperature": 0}),
        ({"temperature": 1.0}, {"temperature": 1.0}),
        ({"topP": 0.5}, {"top_p": 0.5}),
        ({"top_k": 3.0}, {"top_k": 3}),
        (
            {"temperature": 0.1, "topP": 0.5, "topK": 3},
            {"temperature": 0.1, "top_p": 0.5, "top_k": 3},
        ),
    ],
)
def test_older_models_are_sampled(config: dict[str, Any], sampling: dict[str, Any]) -> None:
    assert _sampled(config) == sampling


_EACH = [{"temperature": 1}, {"topP": 1}, {"topK": 1}]


@pytest.mark.parametrize("config", _EACH)
@pytest.mark.parametrize(
    "under",
    [
        {"model": "claude-opus-4-7"},
        {"model": "claude-fable-5"},
        {"api_version": "2026-10-21"},
        {"api_version": "2027-01-01"},
    ],
)
def test_neither_newer_models_nor_the_newer_api_are(
    config: dict[str, Any], under: dict[str, str]
) -> None:
    (field,) = config
    error = refusal(generationConfig=config, under=under)
    assert error.path == f"request.generationConfig.{field}"


@pytest.mark.parametrize("under", [{"model": "claude-opus-4-7"}, {"api_version": "2026-10-21"}])
def test_neutral_sampling_is_accepted_everywhere(under: dict[str, str]) -> None:
    assert "temperature" not in translate({"generationConfig": {"topP": None}}, **under)[0]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"temperature": 1.01}, "temperature"),
        ({"temperature": 2}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"topP": 1.1}, "topP"),
        ({"topP": -1}, "topP"),
        ({"topK": -1}, "topK"),
    ],
)
def test_values_out_of_range(config: dict[str, Any], field: str) -> None:
    error = refusal(generationConfig=config, under={"model": "our-alias"})
    assert error.path == f"request.generationConfig.{field}"


def test_models_that_accept_one_of_the_two() -> None:
    both = {"temperature": 0.5, "topP": 0.5}
    error = refusal(generationConfig=both, under={"model": "claude-sonnet-4-5"})
    assert error.message == (
        "request.generationConfig.topP: claude-sonnet-4-5 takes temperature or topP, not both"
    )
    for config in ({"temperature": 0.5}, {"topP": 0.5}, {"temperature": 0.5, "topK": 2}):
        assert len(_sampled(config, "claude-sonnet-4-5")) == len(config)


@pytest.mark.parametrize(
    ("config", "field"),
    [({"temperature": 0.9}, "temperature"), ({"topP": 0.94}, "topP"), ({"topK": 5}, "topK")],
)
def test_a_thinking_model_has_its_own_sampling_rules(config: dict[str, Any], field: str) -> None:
    thinking = {"thinkingConfig": {"thinkingBudget": 1024}}
    error = refusal(generationConfig=config | thinking)
    assert error.path == f"request.generationConfig.{field}"
    not_thinking = {"thinkingConfig": {"thinkingBudget": 0}}
    assert len(_sampled(config | not_thinking, "claude-opus-4-6")) == 1


@pytest.mark.parametrize("config", [{"temperature": 1}, {"topP": 0.95}])
def test_settings_that_a_thinking_model_accepts(config: dict[str, Any]) -> None:
    thinking = {"thinkingConfig": {"thinkingBudget": 1024}}
    assert len(_sampled(config | thinking)) == 1
