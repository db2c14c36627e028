"""Counts the lines and tokens of a batch's results while they are translated."""

from collections.abc import Mapping
from typing import Any, Final

from providers.observation import LineOutcome, ResultCounts, TokenKind

# The members of `usageMetadata`.
_KINDS: Final[Mapping[str, TokenKind]] = {
    "promptTokenCount": TokenKind.INPUT,
    "candidatesTokenCount": TokenKind.OUTPUT,
    "cachedContentTokenCount": TokenKind.CACHED,
    "thoughtsTokenCount": TokenKind.REASONING,
}


# An upstream may name another model in each answer. Further ones, and longer names, are counted as
# one, so that the counts of a batch stay small.
_COUNTS: Final = 400
_NAME_CHARACTERS: Final = 512
OTHER_MODELS: Final = "other"


def count_result(counts: ResultCounts, result: Mapping[str, Any]) -> None:
    """Adds one translated line: `{"response"}` or `{"error"}`."""
    response = result.get("response")
    counts.lines[LineOutcome.ERROR if response is None else LineOutcome.ANSWER] += 1
    if isinstance(response, dict):
        model = str(response.get("modelVersion") or "")
        for kind, tokens in _tokens(response):
            counts.tokens[_counted_as(counts, model, kind), kind] += tokens


def _counted_as(counts: ResultCounts, model: str, kind: TokenKind) -> str:
    is_new = (model, kind) not in counts.tokens
    too_many = is_new and len(counts.tokens) >= _COUNTS
    return OTHER_MODELS if too_many or len(model) > _NAME_CHARACTERS else model


def _tokens(response: Mapping[str, Any]) -> list[tuple[TokenKind, int]]:
    """An embedding has one count, which is a text, as Gemini writes it."""
    usage = response.get("usageMetadata") or {}
    found = [(kind, usage.get(member)) for member, kind in _KINDS.items()]
    if "tokenCount" in response:
        found.append((TokenKind.INPUT, int(response["tokenCount"])))
    return [(kind, tokens) for kind, tokens in found if isinstance(tokens, int)]
