"""Gemini's thinkingConfig -> Anthropic's thinking and effort (translation.md section 2)."""

from dataclasses import dataclass
from typing import Any, Final

from providers.claude_content import claude_models
from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.warnings import Warnings

_LEAST_BUDGET: Final = 1024
_DYNAMIC: Final = -1
_ADAPTIVE_SETTINGS: Final = ("thinkingLevel", "thinkingBudget", "includeThoughts")
_EFFORTS: Final = {"MINIMAL": "low", "LOW": "low", "MEDIUM": "medium", "HIGH": "high"}


@dataclass(frozen=True)
class Thinking:
    """`param` is the value of `thinking`, and `effort` that of `output_config.effort`."""

    param: dict[str, Any] | None = None
    effort: str | None = None

    @property
    def requested(self) -> bool:
        return self.param is not None and self.param["type"] != "disabled"


def to_anthropic_thinking(
    config: dict[str, Any], path: str, warnings: Warnings, *, model: str, max_tokens: int | None
) -> Thinking:
    """Translate the ThinkingConfig at `path`.

    `max_tokens` is None if the model's own limit applies. Thoughts are shown only if
    `includeThoughts` is set, so a message has the thoughts that the client asked for. Raises
    INVALID_ARGUMENT for what `model` is known to refuse.
    """
    if not config:
        return Thinking()
    level, budget = config.get("thinkingLevel"), config.get("thinkingBudget")
    if budget is not None and level is not None:
        raise invalid_argument(
            "cannot be given with thinkingLevel", path=member(path, "thinkingBudget")
        )
    if budget == 0:
        if claude_models.refuses_disabled_thinking(model):
            raise invalid_argument(
                f"{model} cannot turn thinking off; give thinkingLevel",
                path=member(path, "thinkingBudget"),
            )
        return Thinking({"type": "disabled"})
    display = "summarized" if config.get("includeThoughts") else "omitted"
    if budget not in (None, _DYNAMIC):
        _check_budget(budget, member(path, "thinkingBudget"), model, max_tokens)
        return Thinking({"type": "enabled", "budget_tokens": budget, "display": display})
    # With includeThoughts alone the model decides how much to think, as at Gemini.
    setting = next(field for field in _ADAPTIVE_SETTINGS if field in config)
    _require_adaptive(member(path, setting), model)
    return Thinking(
        {"type": "adaptive", "display": display},
        thinking_effort(level, member(path, "thinkingLevel"), warnings),
    )


def _check_budget(budget: int, path: str, model: str, max_tokens: int | None) -> None:
    if claude_models.refuses_thinking_budget(model):
        raise invalid_argument(f"{model} takes no budget; give thinkingLevel", path=path)
    if budget < _LEAST_BUDGET or (max_tokens is not None and budget >= max_tokens):
        limit = (
            " or more" if max_tokens is None else f" up to less than maxOutputTokens ({max_tokens})"
        )
        raise invalid_argument(f"Claude takes 0, -1, or {_LEAST_BUDGET}{limit}", path=path)


def _require_adaptive(path: str, model: str) -> None:
    if claude_models.refuses_adaptive_thinking(model):
        raise invalid_argument(
            f"{model} cannot decide how much to think; give a thinkingBudget of 1024 or more",
            path=path,
        )


def thinking_effort(level: str | None, path: str, warnings: Warnings) -> str | None:
    if level is None:
        return None
    if level not in _EFFORTS:
        raise invalid_argument(f"must be one of {', '.join(_EFFORTS)}", path=path)
    if level == "MINIMAL":
        warnings.drop(path)  # low is Anthropic's lowest effort
    return _EFFORTS[level]
