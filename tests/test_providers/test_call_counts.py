"""How many Python calls the translation of one line takes, on every provider.

The number is the same on every machine, unlike time, and may only grow by a tenth.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from math import inf
from types import FrameType
from typing import Any, Final
from unittest.mock import patch

import orjson
import pytest

from tests.benchmarks.translated_lines import (
    TRANSLATIONS,
    create,
    gemini_line,
    table_of,
    translate_results,
)
from tests.recorded_counts import check_python_calls

LINES: Final = 200
SIZE: Final = 500


def calls(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """The calls of functions, of Python and of C, in `work`."""
    count = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    async def counted() -> None:
        sys.setprofile(profile)
        try:
            await work()
        finally:
            sys.setprofile(None)

    with patch("providers.long_work._PAUSE_SECONDS", inf):  # pauses depend on the clock
        asyncio.run(work())  # fills caches
        asyncio.run(counted())
    return count


def per_line(
    work: Callable[[Sequence[bytes]], Coroutine[Any, Any, int]], lines: list[bytes]
) -> float:
    """What a line adds: without what the whole input takes once."""
    half = lines[: LINES // 2]
    return (calls(lambda: work(lines)) - calls(lambda: work(half))) / (len(lines) - len(half))


def results(provider: str, lines: list[bytes]) -> float:
    translation = TRANSLATIONS[provider]
    return per_line(
        lambda some: translate_results(translation, table_of(some), b"\n".join(some)), lines
    )


def creation(provider: str, lines: list[bytes]) -> float:
    translation = TRANSLATIONS[provider]
    return per_line(lambda some: create(translation, b"\n".join(some)), lines)


def check(provider: str, lines: str, found: float) -> None:
    check_python_calls("python_calls_per_line", f"{provider}: {lines}", found)


@pytest.mark.parametrize("provider", TRANSLATIONS)
def test_plain_results(provider: str) -> None:
    lines = [TRANSLATIONS[provider].result(number, SIZE) for number in range(LINES)]
    check(provider, "plain results", results(provider, lines))


@pytest.mark.parametrize("provider", TRANSLATIONS)
def test_other_results(provider: str) -> None:
    lines = [_without_end(TRANSLATIONS[provider].result(number, SIZE)) for number in range(LINES)]
    check(provider, "other results", results(provider, lines))


@pytest.mark.parametrize("provider", TRANSLATIONS)
def test_creation_from_lines_that_are_alike(provider: str) -> None:
    lines = [gemini_line(number, SIZE) for number in range(LINES)]
    check(provider, "creation, alike", creation(provider, lines))


@pytest.mark.parametrize("provider", TRANSLATIONS)
def test_creation_from_lines_that_all_differ(provider: str) -> None:
    lines = [_with_own_setting(gemini_line(number, SIZE), number) for number in range(LINES)]
    check(provider, "creation, different", creation(provider, lines))


def _without_end(line: bytes) -> bytes:
    """The answer with a reason for its end that the general translator explains."""
    reasons = (b'"finish_reason":"stop"', b'"stop_reason":"end_turn"', b'"stopReason":"end_turn"')
    found = next(reason for reason in reasons if reason in line)
    return line.replace(found, found.partition(b":")[0] + b':"other"')


def _with_own_setting(line: bytes, number: int) -> bytes:
    document = orjson.loads(line)
    document["request"]["generationConfig"]["maxOutputTokens"] = 1000 + number
    return orjson.dumps(document)
