"""Every regular expression takes time that grows only with the length of its text.

Time is measured, but the test does not depend on a fast machine. On 2,000 characters a quadratic
pattern takes two million steps, many times the time that is not judged, and an exponential one
already takes long on 24. What takes longer must not take more than 40 times as long on a text that
is ten times as long, where a quadratic pattern takes 100 times as long.
"""

import re
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.patterns import Found, all_patterns, attacks

SHORT: Final = 24
LONG: Final = 2_000
GROWTH: Final = 40
NOT_JUDGED_SECONDS: Final = 0.002

PATTERNS: Final = list(all_patterns())


def seconds(found: Found, text: Any) -> float:
    """Of the thread; the best of three attempts if it is long."""
    taken = []
    for _ in range(3):
        start = time.thread_time()
        found.pattern.fullmatch(text)
        if found.searched:
            for _ in found.pattern.finditer(text):
                pass
        taken.append(time.thread_time() - start)
        if taken[-1] < NOT_JUDGED_SECONDS:
            break
    return min(taken)


def slow_texts(found: Found) -> Iterator[str]:
    """The attacks on which the time grows faster than the text."""
    for attack in attacks(found.pattern):
        texts = (attack.text(found.pattern, length) for length in (SHORT, LONG, 10 * LONG))
        if seconds(found, next(texts)) > NOT_JUDGED_SECONDS:
            yield repr(attack)
        elif (before := seconds(found, next(texts))) > NOT_JUDGED_SECONDS:
            after = seconds(found, next(texts))
            if after > GROWTH * before:
                yield f"{attack}: {before:.4f} s, and {after:.4f} s if it is longer"


@pytest.mark.parametrize("found", PATTERNS, ids=lambda found: found.where)
def test_a_pattern_takes_linear_time(found: Found) -> None:
    assert next(slow_texts(found), None) is None


@pytest.mark.parametrize(
    ("pattern", "searched"),
    [
        (r"(a+)+b", False),
        (r"(a|ab?)*c", False),
        (r"[^/]*/?[^/]*b", False),
        (r"\s*\s*b", False),
        (r"files/([^?]+)\?", True),  # linear when it is matched at the start only
    ],
)
def test_a_slow_pattern_is_found(pattern: str, searched: bool) -> None:
    found = Found("here", re.compile(pattern), searched)

    assert next(slow_texts(found), None) is not None


def test_many_patterns_are_found() -> None:
    assert len(PATTERNS) > 60
