"""The settings of a GenerationConfig that other providers do not support."""

from collections.abc import Mapping


def unsupported_settings(provider: str) -> Mapping[str, str]:
    """Each setting with its refusal, for a provider that answers a request with one text.

    See translation.md section 2.
    """
    no_setting, text_only = f"{provider} has no such setting", f"{provider} answers in text only"
    return {
        "candidateCount": f"{provider} gives one answer",
        "seed": no_setting,
        "responseLogprobs": no_setting,
        "logprobs": no_setting,
        "responseModalities": text_only,
        "speechConfig": text_only,
        "imageConfig": text_only,
    } | gemini_only_settings(provider)


def gemini_only_settings(provider: str) -> dict[str, str]:
    """The settings that only Gemini's models have, each with its refusal."""
    settings = (
        "mediaResolution",
        "audioTranscriptionConfig",
        "enableEnhancedCivicAnswers",
        "translationConfig",
        "audioTimestamp",
        "enableAffectiveDialog",
        "routingConfig",
        "modelConfig",
        "modelSelectionConfig",
    )
    return dict.fromkeys(settings, f"{provider} has no such setting")
