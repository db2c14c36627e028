"""Gemini's temperature, topP and topK -> Converse's, and the model's own.

Converse has the first two, from 0 to 1 (bedrock.md section 4). The third is a field of the model's
own schema, if it has one (translation.md section 2). No value is dropped or rescaled.
"""

from typing import Any, Final

from providers.bedrock.content.bedrock_models import ModelFamily, claude_name, model_family
from providers.claude_content.api_version import OLD_VERSION
from providers.claude_content.sampling_to_anthropic import to_anthropic_sampling
from providers.errors import invalid_argument
from providers.gemini_content.json_path import member

_SHARED: Final = (("temperature", "temperature"), ("topP", "topP"))
_CLAUDES: Final = (("temperature", "temperature"), ("top_p", "topP"))
_NOVAS_MOST_TOP_K: Final = 128  # Unverified: bedrock.md section 4


def to_converse_sampling(
    config: dict[str, Any], path: str, *, model: str, thinking: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The members for `inferenceConfig` and for `additionalModelRequestFields`.

    `thinking`: whether Claude thinks. Raises INVALID_ARGUMENT for what `model` is known to refuse.
    """
    if model_family(model) is ModelFamily.CLAUDE:
        return _claude_sampling(config, path, claude_name(model), thinking)
    inference: dict[str, Any] = {}
    for gemini, converse in _SHARED:
        if gemini in config:
            if not 0 <= config[gemini] <= 1:
                raise invalid_argument("Bedrock takes 0 to 1", path=member(path, gemini))
            inference[converse] = config[gemini]
    return inference, _own_top_k(config, member(path, "topK"), model)


def _claude_sampling(
    config: dict[str, Any], path: str, model: str, thinking: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    # Converse has no field for an API version (bedrock.md section 4): only the model decides.
    sampling = to_anthropic_sampling(
        config, path, model=model, api_version=OLD_VERSION, thinking=thinking
    )
    inference = {ours: sampling[claudes] for claudes, ours in _CLAUDES if claudes in sampling}
    return inference, {"top_k": sampling["top_k"]} if "top_k" in sampling else {}


def _own_top_k(config: dict[str, Any], path: str, model: str) -> dict[str, Any]:
    if "topK" not in config:
        return {}
    if model_family(model) is not ModelFamily.NOVA:
        raise invalid_argument("Bedrock accepts it only for Claude and Nova", path=path)
    if not 0 <= config["topK"] <= _NOVAS_MOST_TOP_K:
        raise invalid_argument(f"Nova takes 0 to {_NOVAS_MOST_TOP_K}", path=path)
    return {"inferenceConfig": {"topK": config["topK"]}}
