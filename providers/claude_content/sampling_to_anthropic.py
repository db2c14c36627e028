"""Gemini's temperature, topP and topK -> Anthropic's, for models and versions that accept them.

Newer models and the newer API version refuse them (anthropic.md section 1). They are never dropped
and never rescaled: Gemini's temperature goes to 2, Anthropic's to 1.
"""

from typing import Any, Final

from providers.claude_content import claude_models
from providers.claude_content.api_version import NEW_VERSION
from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.settings import Range, settings_in_range

_RANGES: Final[tuple[Range, ...]] = (
    ("temperature", "temperature", 0, 1),
    ("topP", "top_p", 0, 1),
    ("topK", "top_k", 0, 2**31 - 1),
)
_LEAST_TOP_P_WHILE_THINKING: Final = 0.95


def to_anthropic_sampling(
    config: dict[str, Any], path: str, *, model: str, api_version: str, thinking: bool
) -> dict[str, Any]:
    """The sampling parameters of the GenerationConfig at `path`.

    `thinking` says whether thinking was requested. Raises INVALID_ARGUMENT for what `model` does
    not accept, or Anthropic does not under `api_version`.
    """
    for gemini, *_ in _RANGES:
        if gemini in config:
            _require_accepted(member(path, gemini), model, api_version)
    sampling = settings_in_range(config, _RANGES, path, "Anthropic")
    both = "temperature" in sampling and "top_p" in sampling
    if both and claude_models.refuses_temperature_with_top_p(model):
        reason = f"{model} takes temperature or topP, not both"
        raise invalid_argument(reason, path=member(path, "topP"))
    if thinking:
        _require_thinking_sampling(sampling, path)
    return sampling


def _require_accepted(path: str, model: str, api_version: str) -> None:
    if claude_models.refuses_sampling(model):
        raise invalid_argument(f"{model} takes no sampling parameters", path=path)
    # Versions are dates. Later ones are assumed to refuse the parameters too.
    if api_version >= NEW_VERSION:
        raise invalid_argument(
            f"Anthropic takes no sampling parameters in its API version {api_version}", path=path
        )


def _require_thinking_sampling(sampling: dict[str, Any], path: str) -> None:
    """Unverified: which sampling a thinking model accepts (anthropic.md section 1)."""
    if sampling.get("temperature", 1) != 1:
        raise invalid_argument(
            "Anthropic takes only 1 with thinking", path=member(path, "temperature")
        )
    if sampling.get("top_p", 1) < _LEAST_TOP_P_WHILE_THINKING:
        raise invalid_argument(
            f"Anthropic takes {_LEAST_TOP_P_WHILE_THINKING} to 1 with thinking",
            path=member(path, "topP"),
        )
    if "top_k" in sampling:
        raise invalid_argument(
            "Anthropic does not take topK with thinking", path=member(path, "topK")
        )
