"""What no provider has that gives one answer to a request, and that in text."""

from collections.abc import Mapping


def beyond_text(whose: str) -> Mapping[str, str]:
    """Fields of a GenerationConfig, each with why `whose` models take none (translation.md 2)."""
    no_setting, text_only = f"{whose} has no such setting", f"{whose} answers in text only"
    return {
        "candidateCount": f"{whose} gives one answer",
        "seed": no_setting,
        "responseLogprobs": no_setting,
        "logprobs": no_setting,
        "responseModalities": text_only,
        "mediaResolution": no_setting,
        "speechConfig": text_only,
        "imageConfig": text_only,
        "audioTranscriptionConfig": no_setting,
        "enableEnhancedCivicAnswers": no_setting,
    }
