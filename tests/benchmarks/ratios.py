"""CPU time of a subject against a reference, as the median of interleaved ratios.

Only ratios from one run mean anything: single times move with the machine. The reference is
measured before and after the subject, and a repetition in which the two differ by more than 15 %
is void.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

REPETITIONS: Final = 7
FEWEST: Final = 5
NOISE: Final = 0.15
_TRIES: Final = 5 * REPETITIONS

Clock = Callable[[], float]


class TooNoisyError(Exception):
    """Too few repetitions were quiet enough."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """`value` is the reference's CPU time divided by the subject's: 1.0 is as fast."""

    value: float
    subject_seconds: float
    repetitions: int
    void: int


def ratio(
    reference: Callable[[], float],
    subject: Callable[[], float],
    repetitions: int = REPETITIONS,
) -> Ratio:
    """Each callable runs once and returns its CPU seconds. Raises TooNoisyError."""
    reference(), subject()  # fills caches
    found: list[float] = []
    seconds: list[float] = []
    void = 0
    while len(found) < repetitions and len(found) + void < _TRIES:
        before, measured, after = reference(), subject(), reference()
        if abs(before - after) > NOISE * min(before, after):
            void += 1
            continue
        found.append((before + after) / 2 / measured)
        seconds.append(measured)
    if len(found) < FEWEST:
        raise TooNoisyError(f"{void} of {len(found) + void} repetitions were void")
    return Ratio(statistics.median(found), statistics.median(seconds), len(found), void)


def cpu_seconds(run: Callable[[], object], clock: Clock = time.process_time) -> float:
    """The CPU time that this process spends in `run`."""
    began = clock()
    run()
    return clock() - began
