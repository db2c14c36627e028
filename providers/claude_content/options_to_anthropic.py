"""Gemini's generationConfig -> the options of a message (translation.md section 2)."""

from dataclasses import dataclass
from typing import Any

from providers.claude_content.closed_schema import closed_schema
from providers.claude_content.sampling_to_anthropic import to_anthropic_sampling
from providers.claude_content.thinking_to_anthropic import Thinking, to_anthropic_thinking
from providers.errors import invalid_argument
from providers.gemini_content.json_path import item, member
from providers.gemini_content.response_schema import json_format
from providers.gemini_content.unsupported import refuse_settings
from providers.gemini_content.warnings import Warnings


@dataclass(frozen=True)
class MessageTarget:
    """What the options depend on besides the request."""

    model: str
    api_version: str
    default_max_tokens: int


def to_anthropic_options(
    config: dict[str, Any], path: str, warnings: Warnings, target: MessageTarget
) -> tuple[dict[str, Any], Thinking]:
    """Translate the normalised GenerationConfig at `path`.

    Raises INVALID_ARGUMENT for a setting or value that Anthropic has no equivalent for.
    """
    refuse_settings(config, path, "Anthropic")
    max_tokens = _max_tokens(config, path, warnings, target.default_max_tokens)
    thinking = to_anthropic_thinking(
        config.get("thinkingConfig", {}),
        member(path, "thinkingConfig"),
        warnings,
        model=target.model,
        max_tokens=max_tokens,
    )
    sampling = to_anthropic_sampling(
        config,
        path,
        model=target.model,
        api_version=target.api_version,
        thinking=thinking.requested,
    )
    options = {"max_tokens": max_tokens} | sampling | _stop_sequences(config, path)
    if thinking.param is not None:
        options["thinking"] = thinking.param
    output_config = _format(config, path, warnings)
    if thinking.effort is not None:
        output_config["effort"] = thinking.effort
    if output_config:
        options["output_config"] = output_config
    return options, thinking


def _max_tokens(config: dict[str, Any], path: str, warnings: Warnings, default: int) -> int:
    field_path = member(path, "maxOutputTokens")
    if "maxOutputTokens" not in config:
        # Anthropic requires one, and the client gave none.
        warnings.fill(field_path, default)
        return default
    limit: int = config["maxOutputTokens"]
    if limit < 1:
        raise invalid_argument("Anthropic takes 1 or more", path=field_path)
    return limit


def _stop_sequences(config: dict[str, Any], path: str) -> dict[str, Any]:
    if "stopSequences" not in config:
        return {}
    for index, sequence in enumerate(config["stopSequences"]):
        if not sequence.strip():
            raise invalid_argument(
                "Anthropic takes no stop sequence of white space alone",
                path=item(member(path, "stopSequences"), index),
            )
    return {"stop_sequences": config["stopSequences"]}


def _format(config: dict[str, Any], path: str, warnings: Warnings) -> dict[str, Any]:
    requested = json_format(config, path, "Anthropic")
    if requested is None:
        return {}
    if requested.schema is None:
        raise invalid_argument(
            "Anthropic answers in JSON only with a schema; give responseSchema", path=requested.path
        )
    schema = closed_schema(requested.schema, requested.path, warnings)
    return {"format": {"type": "json_schema", "schema": schema}}
