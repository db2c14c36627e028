"""The fields of a request that a provider has no equivalent for (translation.md section 2)."""

from collections.abc import Mapping
from typing import Any, Final

from providers.errors import invalid_argument
from providers.gemini_content.json_path import member
from providers.gemini_content.warnings import Warnings

_ONLY_AT_GEMINI: Final = {
    "cachedContent": (
        "{} cannot read content that Gemini caches; send the content itself with the request"
    ),
    "store": "{} stores no conversations",
    "continuationToken": "{} cannot continue an answer of Gemini",
    "modelArmorConfig": "{} has no Model Armor",
    "outputConfig": "{} cannot write its answers to another place",
}
# Without these the answer is the same.
_DROPPED: Final = ("labels", "serviceTier")
# These thresholds block nothing, and neither does a provider without safety settings.
_OPEN_THRESHOLDS: Final = ("BLOCK_NONE", "OFF")

_NO_SETTING: Final = "{} has no such setting"
_TEXT_ONLY: Final = "{} answers in text only"
GEMINI_ONLY_SETTINGS: Final[Mapping[str, str]] = {
    "responseModalities": _TEXT_ONLY,
    "speechConfig": _TEXT_ONLY,
    "imageConfig": _TEXT_ONLY,
    "mediaResolution": _NO_SETTING,
    "audioTranscriptionConfig": _NO_SETTING,
    "enableEnhancedCivicAnswers": _NO_SETTING,
    "translationConfig": _NO_SETTING,
    "audioTimestamp": _NO_SETTING,
    "enableAffectiveDialog": _NO_SETTING,
    "routingConfig": _NO_SETTING,
    "modelConfig": _NO_SETTING,
    "modelSelectionConfig": _NO_SETTING,
}
"""The members of a GenerationConfig that no other provider has, each with its refusal."""

_ONE_ANSWER: Final[Mapping[str, str]] = {
    "candidateCount": "{} gives one answer",
    "seed": _NO_SETTING,
    "responseLogprobs": _NO_SETTING,
    "logprobs": _NO_SETTING,
    **GEMINI_ONLY_SETTINGS,
}
_PENALTIES: Final = ("presencePenalty", "frequencyPenalty")


def refuse_fields(
    present: Mapping[str, Any], reasons: Mapping[str, str], path: str, provider: str
) -> None:
    """Raise INVALID_ARGUMENT for the first field of `reasons` that the object at `path` has.

    A reason may have `{}` in the place of the provider's name.
    """
    for field, reason in reasons.items():
        if field in present:
            raise invalid_argument(reason.format(provider), path=member(path, field))


def check_request_fields(
    request: dict[str, Any], path: str, warnings: Warnings, provider: str
) -> None:
    """Refuse what only Gemini's own service can do; drop with a warning what has no effect."""
    refuse_fields(request, _ONLY_AT_GEMINI, path, provider)
    for field in _DROPPED:
        if field in request:
            warnings.drop(member(path, field))
    settings = request.get("safetySettings", [])
    if any(setting.get("threshold") not in _OPEN_THRESHOLDS for setting in settings):
        warnings.drop(member(path, "safetySettings"))


def require_model(request: dict[str, Any], model: str, path: str, provider: str) -> None:
    """Raise INVALID_ARGUMENT if the request at `path` names a model other than the batch's."""
    own = request.get("model", model).removeprefix("models/")
    if own != model.removeprefix("models/"):
        raise invalid_argument(
            f"differs from the model in the call; {provider} takes one model in each",
            path=member(path, "model"),
        )


def refuse_settings(config: dict[str, Any], path: str, provider: str) -> None:
    """Refuse the settings that a provider lacks whose answer is one text without scores.

    `config` is the normalised GenerationConfig at `path`.
    """
    refuse_fields(config, _ONE_ANSWER, path, provider)
    for penalty in _PENALTIES:
        if config.get(penalty, 0) != 0:
            raise invalid_argument(f"{provider} has no penalties", path=member(path, penalty))
