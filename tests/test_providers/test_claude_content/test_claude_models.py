import pytest

from providers.claude_content import claude_models

# sampling, temperature with top_p, budgets, adaptive thinking: what each refuses
_REFUSALS = {
    "claude-fable-5": (True, False, True, False),
    "claude-fable-5-1": (True, False, True, False),
    "claude-mythos-preview": (True, False, True, False),
    "claude-opus-5": (True, True, True, False),
    "claude-opus-4-8-20260601": (True, True, True, False),
    "claude-opus-4-7": (True, True, True, False),
    "claude-opus-4.7": (True, True, True, False),
    "anthropic.claude-opus-4-7-v1:0": (True, True, True, False),
    "claude-opus-4-10": (True, True, True, False),
    "claude-sonnet-5": (True, True, True, False),
    "claude-haiku-5-5": (True, True, True, False),
    "claude-haiku-5": (False, True, True, False),
    "claude-opus-4-6": (False, True, False, False),
    "claude-sonnet-4-6": (False, True, False, False),
    "claude-opus-4-5-20251101": (False, True, False, True),
    "claude-sonnet-4-5-20250929": (False, True, False, True),
    "claude-haiku-4-5": (False, True, False, True),
    "claude-opus-4-1": (False, True, False, True),
    "claude-opus-4-20250514": (False, False, False, True),
    "claude-sonnet-4-0": (False, False, False, True),
    "claude-3-7-sonnet-20250219": (False, False, False, True),
    "claude-3-sonnet-20240229": (False, False, False, True),
    "claude-2.1": (False, False, False, True),
    "claude-instant-1.2": (False, False, False, True),
    # With an unknown name nothing is refused.
    "claude-10-opus": (False, False, False, False),
    "claude-sage-30": (False, False, False, False),
    "our-alias": (False, False, False, False),
}


@pytest.mark.parametrize("model", _REFUSALS)
def test_settings_that_a_model_refuses(model: str) -> None:
    assert _REFUSALS[model] == (
        claude_models.refuses_sampling(model),
        claude_models.refuses_temperature_with_top_p(model),
        claude_models.refuses_thinking_budget(model),
        claude_models.refuses_adaptive_thinking(model),
    )


@pytest.mark.parametrize(
    ("model", "disabled", "forced_tool"),
    [
        ("claude-opus-5-5", True, True),
        ("anthropic.claude-opus-5-5-20260922-v1:0", True, True),
        ("claude-sonnet-5-5", True, True),
        ("claude-fable-5-1", True, True),
        ("claude-fable-5", True, False),
        ("claude-mythos-5", True, False),
        ("claude-opus-5", False, False),
        ("claude-sonnet-5", False, False),
        ("claude-haiku-5-5", False, False),
        ("claude-opus-4-7", False, False),
        ("our-alias", False, False),
    ],
)
def test_which_models_refuse_disabled_thinking_and_forced_tools(
    model: str, disabled: bool, forced_tool: bool
) -> None:
    assert claude_models.refuses_disabled_thinking(model) is disabled
    assert claude_models.refuses_forced_tool(model) is forced_tool
