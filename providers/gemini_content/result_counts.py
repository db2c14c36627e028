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


def count_result(counts: ResultCounts, result: Mapping[str, Any]) -> None:
    """Adds one translated line: `{"response"}` or `{"error"}`."""
    response = result.get("response")
    counts.lines[LineOutcome.ERROR if response is None else LineOutcome.ANSWER] += 1
    if isinstance(response, dict):
        model = str(response.get("modelVersion") or "")
        for kind, tokens in _tokens(response):
            counts.tokens[model, kind] += tokens


def _tokens(response: Mapping[str, Any]) -> list[tuple[TokenKind, int]]:
    """An embedding has one count, which is a text, as Gemini writes it."""
    usage = response.get("usageMetadata") or {}
    found = [(kind, usage.get(member)) for member, kind in _KINDS.items()]
    if "tokenCount" in response:
        found.append((TokenKind.INPUT, int(response["tokenCount"])))
    return [(kind, tokens) for kind, tokens in found if isinstance(tokens, int)]
