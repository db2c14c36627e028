"""Gemini's generationConfig -> the options of a chat completion (translation.md section 2)."""

from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.response_schema import json_format
from providers.gemini_content.settings import Range, settings_in_range, stop_sequences
from providers.gemini_content.unsupported import GEMINI_ONLY_SETTINGS, refuse_fields
from providers.gemini_content.warnings import Warnings
from providers.openai_content.schema_rules import SchemaRule, allows_strict

_REFUSED: Final = {"topK": "{} has no such setting", **GEMINI_ONLY_SETTINGS}

_RANGES: Final[tuple[Range, ...]] = (
    ("maxOutputTokens", "max_completion_tokens", 1, 2**31 - 1),
    ("temperature", "temperature", 0, 2),
    ("topP", "top_p", 0, 1),
    ("candidateCount", "n", 1, 128),
    ("presencePenalty", "presence_penalty", -2, 2),
    ("frequencyPenalty", "frequency_penalty", -2, 2),
    ("logprobs", "top_logprobs", 0, 20),
)

# Gemini's name and OpenAI's, for settings whose values need no translation or check.
_RENAMED: Final = (
    ("seed", "seed"),
    ("responseLogprobs", "logprobs"),
)

_MOST_STOPS: Final = 4
_EFFORTS: Final = {"MINIMAL": "minimal", "LOW": "low", "MEDIUM": "medium", "HIGH": "high"}


def to_openai_options(
    config: dict[str, Any], path: str, warnings: Warnings, schema_rule: SchemaRule
) -> dict[str, Any]:
    """Translate the normalised GenerationConfig at `path`.

    Raises INVALID_ARGUMENT for a setting or value that OpenAI has no equivalent for.
    """
    refuse_fields(config, _REFUSED, path, "OpenAI")
    if "logprobs" in config and "responseLogprobs" not in config:
        raise invalid_argument("requires responseLogprobs", path=member(path, "logprobs"))
    stops = stop_sequences(config, path, "OpenAI", most=_MOST_STOPS)
    return (
        {openai: config[gemini] for gemini, openai in _RENAMED if gemini in config}
        | settings_in_range(config, _RANGES, path, "OpenAI")
        | ({"stop": stops} if stops else {})
        | _reasoning_effort(config.get("thinkingConfig", {}), path, warnings)
        | _response_format(config, path, schema_rule)
    )


def _reasoning_effort(
    thinking: dict[str, Any], config_path: str, warnings: Warnings
) -> dict[str, Any]:
    path = member(config_path, "thinkingConfig")
    if "includeThoughts" in thinking:
        warnings.drop(member(path, "includeThoughts"))
    if "thinkingBudget" in thinking:
        if thinking["thinkingBudget"] != 0 or "thinkingLevel" in thinking:
            raise invalid_argument(
                "OpenAI has no budget for thinking tokens; give thinkingLevel instead, or a budget "
                "of 0 for no thinking",
                path=member(path, "thinkingBudget"),
            )
        return {"reasoning_effort": "none"}
    if "thinkingLevel" not in thinking:
        return {}
    if thinking["thinkingLevel"] not in _EFFORTS:
        raise invalid_argument(
            f"OpenAI takes {', '.join(_EFFORTS)}", path=member(path, "thinkingLevel")
        )
    return {"reasoning_effort": _EFFORTS[thinking["thinkingLevel"]]}


def _response_format(config: dict[str, Any], path: str, schema_rule: SchemaRule) -> dict[str, Any]:
    requested = json_format(config, path, "OpenAI")
    if requested is None:
        return {}
    if requested.schema is None:
        return {"response_format": {"type": "json_object"}}
    schema_rule(requested.schema, requested.path)
    strict = allows_strict(requested.schema)
    json_schema = {"name": "response", "schema": requested.schema, "strict": strict}
    return {"response_format": {"type": "json_schema", "json_schema": json_schema}}
