"""Gemini's generationConfig -> the options of a message (translation.md section 2)."""

from typing import Any

from providers.claude_content.closed_schema import closed_answer_schema
from providers.claude_content.sampling_to_anthropic import to_anthropic_sampling
from providers.claude_content.thinking_to_anthropic import Thinking, to_anthropic_thinking
from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.settings import stop_sequences
from providers.gemini_content.unsupported import refuse_settings
from providers.gemini_content.warnings import Warnings
from providers.json_api.answer_shape import present


def to_anthropic_options(
    config: dict[str, Any],
    path: str,
    warnings: Warnings,
    *,
    model: str,
    api_version: str,
    default_max_tokens: int,
) -> tuple[dict[str, Any], Thinking]:
    """Translate the normalised GenerationConfig at `path`.

    Raises INVALID_ARGUMENT for a setting or value that Anthropic has no equivalent for.
    """
    refuse_settings(config, path, "Anthropic")
    max_tokens = _max_tokens(config, path, warnings, default_max_tokens)
    thinking = to_anthropic_thinking(
        config.get("thinkingConfig", {}),
        member(path, "thinkingConfig"),
        warnings,
        model=model,
        max_tokens=max_tokens,
    )
    sampling = to_anthropic_sampling(
        config, path, model=model, api_version=api_version, thinking=thinking.requested
    )
    schema = closed_answer_schema(config, path, warnings, "Anthropic")
    output = {
        "format": schema and {"type": "json_schema", "schema": schema},
        "effort": thinking.effort,
    }
    options = {
        "stop_sequences": stop_sequences(config, path, "Anthropic", accepts=str.strip) or None,
        "thinking": thinking.param,
        "output_config": present(output) or None,
    }
    return {"max_tokens": max_tokens} | sampling | present(options), thinking


def _max_tokens(config: dict[str, Any], path: str, warnings: Warnings, default: int) -> int:
    field_path = member(path, "maxOutputTokens")
    if "maxOutputTokens" not in config:
        # Anthropic requires one, and the client gave none.
        filled = default_limit(config, default)
        warnings.fill(field_path, filled)
        return filled
    limit: int = config["maxOutputTokens"]
    if limit < 1:
        raise invalid_argument("Anthropic takes 1 or more", path=field_path)
    return limit


def default_limit(config: dict[str, Any], default: int) -> int:
    """The limit of an answer of `default` tokens: Claude counts those of its thinking too."""
    budget: int = config.get("thinkingConfig", {}).get("thinkingBudget", 0)
    return default + max(budget, 0)
