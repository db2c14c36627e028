"""Gemini's generationConfig -> the options of a chat completion (translation.md section 2)."""

from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.response_schema import json_format
from providers.gemini_content.settings import settings_in_range, stop_sequences
from providers.gemini_content.unsupported import refuse_fields
from providers.gemini_content.warnings import Warnings
from providers.openai_content.dialect import Dialect
from providers.openai_content.schema_rules import allows_strict

_EFFORTS: Final = {"MINIMAL": "minimal", "LOW": "low", "MEDIUM": "medium", "HIGH": "high"}


def to_openai_options(
    config: dict[str, Any], path: str, warnings: Warnings, dialect: Dialect
) -> dict[str, Any]:
    """Translate the normalised GenerationConfig at `path`.

    Raises INVALID_ARGUMENT for a setting or value that the provider has no equivalent for.
    """
    provider = dialect.provider
    refuse_fields(config, dialect.refused, path, provider)
    if "logprobs" in config and "responseLogprobs" not in config:
        raise invalid_argument("requires responseLogprobs", path=member(path, "logprobs"))
    stops = stop_sequences(config, path, provider, most=dialect.most_stops)
    return (
        {native: config[gemini] for gemini, native in dialect.renamed.items() if gemini in config}
        | settings_in_range(config, dialect.ranges, path, provider)
        | ({"stop": stops} if stops else {})
        | _thoughts(config.get("thinkingConfig", {}), path, warnings, dialect)
        | _reasoning_effort(config.get("thinkingConfig", {}), path, provider)
        | _response_format(config, path, dialect)
    )


def _thoughts(
    thinking: dict[str, Any], config_path: str, warnings: Warnings, dialect: Dialect
) -> dict[str, Any]:
    if "includeThoughts" not in thinking:
        return {}
    if dialect.thoughts is None:
        warnings.drop(member(member(config_path, "thinkingConfig"), "includeThoughts"))
    return dict(dialect.thoughts or {})


def _reasoning_effort(thinking: dict[str, Any], config_path: str, provider: str) -> dict[str, Any]:
    path = member(config_path, "thinkingConfig")
    if "thinkingBudget" in thinking:
        if thinking["thinkingBudget"] != 0 or "thinkingLevel" in thinking:
            raise invalid_argument(
                f"{provider} has no budget for thinking tokens; give thinkingLevel instead, or "
                "a budget of 0 for no thinking",
                path=member(path, "thinkingBudget"),
            )
        return {"reasoning_effort": "none"}
    if "thinkingLevel" not in thinking:
        return {}
    if thinking["thinkingLevel"] not in _EFFORTS:
        raise invalid_argument(
            f"{provider} takes {', '.join(_EFFORTS)}", path=member(path, "thinkingLevel")
        )
    return {"reasoning_effort": _EFFORTS[thinking["thinkingLevel"]]}


def _response_format(config: dict[str, Any], path: str, dialect: Dialect) -> dict[str, Any]:
    requested = json_format(config, path, dialect.provider)
    if requested is None:
        return {}
    if requested.schema is None:
        return {"response_format": {"type": "json_object"}}
    schema = dialect.schema_rule(requested.schema, requested.path)
    json_schema = {"name": "response", "schema": schema, "strict": allows_strict(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": json_schema}}
