"""Gemini's thinkingConfig -> Claude's fields in Converse, or the effort of other models."""

from typing import Any

from providers.bedrock.content.bedrock_models import ModelFamily, claude_name, model_family
from providers.claude_content.thinking_to_anthropic import (
    Thinking,
    thinking_effort,
    to_anthropic_thinking,
)
from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.warnings import Warnings


def to_converse_thinking(
    config: dict[str, Any],
    path: str,
    warnings: Warnings,
    *,
    model: str,
    max_tokens: int | None,
) -> Thinking:
    """Translate the ThinkingConfig at `path`; `max_tokens` is None for the model's own limit.

    Converse has a field for effort. A budget and the display of thoughts exist only for Claude, in
    its own fields. Raises INVALID_ARGUMENT for what `model` is known to refuse.
    """
    if model_family(model) is ModelFamily.CLAUDE:
        return to_anthropic_thinking(
            config, path, warnings, model=claude_name(model), max_tokens=max_tokens
        )
    if "thinkingBudget" in config:
        raise invalid_argument(
            "Bedrock has no thinking budget for this model; give thinkingLevel instead",
            path=member(path, "thinkingBudget"),
        )
    if "includeThoughts" in config:
        warnings.drop(member(path, "includeThoughts"))
    level = config.get("thinkingLevel")
    return Thinking(effort=thinking_effort(level, member(path, "thinkingLevel"), warnings))
