"""Counts the lines and tokens of a batch's results while they are translated."""

from collections import Counter
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
    if not isinstance(response, dict):
        return
    model = str(response.get("modelVersion") or "")
    for member, tokens in (response.get("usageMetadata") or {}).items():
        kind = _KINDS.get(member)
        if kind is not None and isinstance(tokens, int):
            _count(counts.tokens, (model, kind), tokens)
    # An embedding has one count, which is a text, as Gemini writes it.
    if "tokenCount" in response:
        _count(counts.tokens, (model, TokenKind.INPUT), int(response["tokenCount"]))


def _count(counts: Counter[tuple[str, TokenKind]], counted: tuple[str, TokenKind], n: int) -> None:
    model, kind = counted
    if counted not in counts and (len(counts) >= _COUNTS or len(model) > _NAME_CHARACTERS):
        counted = (OTHER_MODELS, kind)
    counts[counted] += n
