"""The settings that providers lack which answer each request with one text."""

from collections.abc import Mapping


def unsupported_settings(whose: str) -> Mapping[str, str]:
    """Fields of a GenerationConfig, each with why `whose` models take none.

    See translation.md section 2.
    """
    no_setting, text_only = f"{whose} has no such setting", f"{whose} answers in text only"
    return {
        "candidateCount": f"{whose} gives one answer",
        "seed": no_setting,
        "responseLogprobs": no_setting,
        "logprobs": no_setting,
        "responseModalities": text_only,
        "speechConfig": text_only,
        "imageConfig": text_only,
    } | gemini_only_settings(whose)


def gemini_only_settings(whose: str) -> dict[str, str]:
    """Fields of a GenerationConfig that only Gemini's models have, each with its refusal."""
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
    return dict.fromkeys(settings, f"{whose} has no such setting")
