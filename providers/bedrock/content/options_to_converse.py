"""Gemini's generationConfig -> Converse's options (translation.md section 2)."""

from typing import Any, Final

from providers.bedrock.content.bedrock_models import ModelFamily, claude_name, model_family
from providers.bedrock.content.sampling_to_converse import to_converse_sampling
from providers.bedrock.content.thinking_to_converse import to_converse_thinking
from providers.claude_content.closed_schema import closed_schema
from providers.errors import invalid_argument
from providers.gemini_content.json_path import item, member
from providers.gemini_content.response_schema import json_format
from providers.gemini_content.unsupported import refuse_settings
from providers.gemini_content.warnings import Warnings
from providers.json_api.json_text import render_json

_MOST_TOKENS: Final = 2**31 - 1
_MOST_STOPS: Final = 2500  # botocore: InferenceConfiguration
_SCHEMA_NAME: Final = "response"


def to_converse_options(
    config: dict[str, Any], path: str, warnings: Warnings, model: str
) -> tuple[dict[str, Any], bool]:
    """Translate the normalised GenerationConfig at `path`; the flag is whether Claude thinks.

    Raises INVALID_ARGUMENT for a setting or value without an equivalent in Bedrock or `model`.
    """
    refuse_settings(config, path, "Bedrock")
    thinking = to_converse_thinking(
        config.get("thinkingConfig", {}),
        member(path, "thinkingConfig"),
        warnings,
        model=model,
        max_tokens=config.get("maxOutputTokens"),
    )
    inference, additional = to_converse_sampling(
        config, path, model=model, thinking=thinking.requested
    )
    if thinking.param is not None:
        additional["thinking"] = thinking.param
    output = _text_format(config, path, warnings)
    if thinking.effort is not None:
        output["effort"] = thinking.effort
    options = {
        "inferenceConfig": _max_tokens(config, path) | inference | _stops(config, path, model),
        "additionalModelRequestFields": additional,
        "outputConfig": output,
    }
    return {name: value for name, value in options.items() if value}, thinking.requested


def _max_tokens(config: dict[str, Any], path: str) -> dict[str, Any]:
    if "maxOutputTokens" not in config:
        return {}
    if not 1 <= config["maxOutputTokens"] <= _MOST_TOKENS:
        raise invalid_argument(
            f"Bedrock takes 1 to {_MOST_TOKENS}", path=member(path, "maxOutputTokens")
        )
    return {"maxTokens": config["maxOutputTokens"]}


def _stops(config: dict[str, Any], path: str, model: str) -> dict[str, Any]:
    if "stopSequences" not in config:
        return {}
    stops, stops_path = config["stopSequences"], member(path, "stopSequences")
    if len(stops) > _MOST_STOPS:
        raise invalid_argument(f"Bedrock takes at most {_MOST_STOPS}", path=stops_path)
    claude = model_family(model) is ModelFamily.CLAUDE
    for index, stop in enumerate(stops):
        if not stop or (claude and not stop.strip()):
            raise invalid_argument(
                f"{claude_name(model)} accepts no empty or blank stop sequence",
                path=item(stops_path, index),
            )
    return {"stopSequences": stops}


def _text_format(config: dict[str, Any], path: str, warnings: Warnings) -> dict[str, Any]:
    requested = json_format(config, path, "Bedrock")
    if requested is None:
        return {}
    if requested.schema is None:
        raise invalid_argument(
            "Bedrock answers in JSON only by a schema; give responseSchema", path=requested.path
        )
    # Unverified: Bedrock accepts only such schemas, for every model (bedrock.md section 4).
    schema = render_json(closed_schema(requested.schema, requested.path, warnings)).decode()
    json_schema = {"schema": schema, "name": _SCHEMA_NAME}
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": json_schema}}}
