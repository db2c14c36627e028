from collections import Counter
from typing import Any

import pytest

from providers.gemini_content.candidate import usage_metadata
from providers.gemini_content.embeddings import embedding_answer
from providers.gemini_content.result_counts import ResultCounter
from providers.observation import LineOutcome, ResultCounts, TokenKind


def counted(*results: dict[str, Any]) -> ResultCounts:
    counter = ResultCounter()
    for result in results:
        counter.add(result)
    return counter.counts()


def test_the_tokens_of_answers_are_added_by_model_and_kind() -> None:
    usage = usage_metadata(sent=10, written=7, thoughts=2, cached=4, total=17)
    answer = {"response": {"modelVersion": "m", **usage}}

    found = counted(answer, answer, {"response": {"modelVersion": "n", **usage}})

    assert found.tokens == Counter(
        {
            ("m", TokenKind.INPUT): 20,
            ("m", TokenKind.OUTPUT): 10,
            ("m", TokenKind.REASONING): 4,
            ("m", TokenKind.CACHED): 8,
            ("n", TokenKind.INPUT): 10,
            ("n", TokenKind.OUTPUT): 5,
            ("n", TokenKind.REASONING): 2,
            ("n", TokenKind.CACHED): 4,
        }
    )
    assert found.lines == {LineOutcome.ANSWER: 3}


def test_models_without_end_are_counted_as_one() -> None:
    names = [f"model-{number}" for number in range(500)]
    answers = [
        {"response": {"modelVersion": name, "usageMetadata": {"promptTokenCount": 1}}}
        for name in [*names, "model-0", "m" * 513]
    ]

    found = counted(*answers)

    assert len(found.tokens) == 101
    assert found.tokens["model-0", TokenKind.INPUT] == 2
    assert found.tokens["other", TokenKind.INPUT] == 401
    assert found.tokens.total() == 502


def test_an_embedding_has_only_input() -> None:
    found = counted({"response": embedding_answer([[0.5]], 3)})
    assert found.tokens == {("", TokenKind.INPUT): 3}


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ({"error": {"code": 13, "message": "m"}}, LineOutcome.ERROR),
        ({"response": {"candidates": []}}, LineOutcome.ANSWER),
    ],
)
def test_a_line_without_counts_is_only_a_line(result: dict[str, Any], outcome: LineOutcome) -> None:
    found = counted(result)
    assert (found.lines, found.tokens) == ({outcome: 1}, {})
