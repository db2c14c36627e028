"""Gemini's generationConfig -> Converse's options (translation.md section 2).

Converse has fields for temperature, topP and effort (bedrock.md section 4). A topK, a budget for
thinking and the display of thoughts exist only in the schemas of some models.
"""

from typing import Any, Final

from providers.bedrock.content.bedrock_models import ModelFamily, claude_name, model_family
from providers.claude_content.api_version import OLD_VERSION
from providers.claude_content.closed_schema import closed_answer_schema
from providers.claude_content.sampling_to_anthropic import to_anthropic_sampling
from providers.claude_content.thinking_to_anthropic import (
    Thinking,
    thinking_effort,
    to_anthropic_thinking,
)
from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.settings import Range, settings_in_range, stop_sequences
from providers.gemini_content.unsupported import refuse_settings
from providers.gemini_content.warnings import Warnings
from providers.json_api.answer_shape import present
from providers.json_api.json_text import render_json
from providers.limits import Limit

_RANGES: Final[tuple[Range, ...]] = (
    ("maxOutputTokens", "maxTokens", 1, 2**31 - 1),
    ("temperature", "temperature", 0, 1),
    ("topP", "topP", 0, 1),
)
_NOVAS_TOP_K: Final[Range] = ("topK", "topK", 0, 128)  # Unverified: bedrock.md section 4
# From botocore's description of InferenceConfiguration.
STOPS_LIMIT: Final = Limit(2500, "sequences", "`stopSequences` of a request at Bedrock")
_SCHEMA_NAME: Final = "response"


def to_converse_options(
    config: dict[str, Any], path: str, warnings: Warnings, model: str
) -> tuple[dict[str, Any], bool]:
    """Translate the normalised GenerationConfig at `path`; the flag is whether Claude thinks.

    Raises INVALID_ARGUMENT for a setting or value without an equivalent in Bedrock or `model`.
    """
    refuse_settings(config, path, "Bedrock")
    thinking = _thinking(config, path, warnings, model)
    own_fields = _own_fields(config, path, model, thinking)
    inference = settings_in_range(config, _RANGES, path, "Bedrock")
    accepts = str.strip if model_family(model) is ModelFamily.CLAUDE else bool
    stops = stop_sequences(config, path, "Bedrock", accepts=accepts, most=STOPS_LIMIT)
    if stops:
        inference["stopSequences"] = stops
    # Unverified: Bedrock accepts only closed schemas, for every model (bedrock.md section 4).
    schema = closed_answer_schema(config, path, warnings, "Bedrock")
    output = {"textFormat": schema and _text_format(schema), "effort": thinking.effort}
    options = {
        "inferenceConfig": inference,
        "additionalModelRequestFields": own_fields,
        "outputConfig": present(output),
    }
    return {name: value for name, value in options.items() if value}, thinking.requested


def _thinking(config: dict[str, Any], path: str, warnings: Warnings, model: str) -> Thinking:
    thinking, thinking_path = config.get("thinkingConfig", {}), member(path, "thinkingConfig")
    if model_family(model) is ModelFamily.CLAUDE:
        return to_anthropic_thinking(
            thinking,
            thinking_path,
            warnings,
            model=claude_name(model),
            max_tokens=config.get("maxOutputTokens"),
        )
    if "thinkingBudget" in thinking:
        raise invalid_argument(
            "Bedrock has no thinking budget for this model; give thinkingLevel instead",
            path=member(thinking_path, "thinkingBudget"),
        )
    if "includeThoughts" in thinking:
        warnings.drop(member(thinking_path, "includeThoughts"))
    level_path = member(thinking_path, "thinkingLevel")
    return Thinking(effort=thinking_effort(thinking.get("thinkingLevel"), level_path, warnings))


def _own_fields(
    config: dict[str, Any], path: str, model: str, thinking: Thinking
) -> dict[str, Any]:
    """The fields of the model's own schema. Claude also has rules for what all models take."""
    family = model_family(model)
    if family is ModelFamily.CLAUDE:
        # Converse has no field for an API version (bedrock.md section 4): only the model decides.
        sampling = to_anthropic_sampling(
            config,
            path,
            model=claude_name(model),
            api_version=OLD_VERSION,
            thinking=thinking.requested,
        )
        return present({"top_k": sampling.get("top_k"), "thinking": thinking.param})
    if "topK" not in config:
        return {}
    if family is not ModelFamily.NOVA:
        raise invalid_argument(
            "Bedrock accepts it only for Claude and Nova", path=member(path, "topK")
        )
    return {"inferenceConfig": settings_in_range(config, [_NOVAS_TOP_K], path, "Nova")}


def _text_format(schema: dict[str, Any]) -> dict[str, Any]:
    json_schema = {"schema": render_json(schema).decode(), "name": _SCHEMA_NAME}
    return {"type": "json_schema", "structure": {"jsonSchema": json_schema}}
