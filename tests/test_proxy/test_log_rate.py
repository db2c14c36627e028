import json
import logging

import pytest

from proxy.log_lines import json_lines
from proxy.log_rate import LINES, PERIOD_SECONDS, LogRate


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rate(clock: Clock) -> LogRate:
    return LogRate(clock)


def record(place: int, level: int = logging.ERROR) -> logging.LogRecord:
    return logging.LogRecord("test", level, "file.py", place, "failed", (), None)


def test_a_flood_from_one_place_is_cut_and_counted(rate: LogRate, clock: Clock) -> None:
    """14,000 lines in ten seconds are 20, and the next one says how many are missing."""
    assert sum(rate.filter(record(1)) for _ in range(14_000)) == LINES
    clock.now += PERIOD_SECONDS
    later = record(1)
    assert rate.filter(later)
    assert json.loads(json_lines().format(later))["left_out"] == 14_000 - LINES
    after = record(1)
    assert rate.filter(after)
    assert "left_out" not in json.loads(json_lines().format(after))


def test_another_place_is_not_affected(rate: LogRate) -> None:
    for _ in range(100):
        rate.filter(record(1))
    assert rate.filter(record(2))


def test_lines_about_requests_always_pass(rate: LogRate) -> None:
    assert all(rate.filter(record(1, logging.INFO)) for _ in range(1000))
