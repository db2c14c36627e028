"""Limits how often the same line of the program writes to the log.

What makes a client or a provider fail once can fail thousands of times a second.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LINES: Final = 20
PERIOD_SECONDS: Final = 10.0


@dataclass(slots=True)
class _Period:
    ends: float
    written: int = 0
    left_out: int = 0


class LogRate(logging.Filter):
    """Lets warnings and errors pass up to LINES times in a period for each place in the program.

    The next line of that place has the number of those before it that were left out. Lines of a
    lower level, such as the one of each request, always pass.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._periods: dict[tuple[str, int], _Period] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        now, place = self._clock(), (record.pathname, record.lineno)
        period = self._periods.get(place)
        if period is None or period.ends <= now:
            if period is not None and period.left_out:
                record.left_out = period.left_out
            period = self._periods[place] = _Period(now + PERIOD_SECONDS)
        if period.written >= LINES:
            period.left_out += 1
            return False
        period.written += 1
        return True
