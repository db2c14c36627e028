"""Measures the sides in turns, and takes the medians of ratios.

The reference is measured first and last in each turn. If the two readings differ by more than 15 %,
the turn is void: something else was using the machine.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.benchmarks.ratios import FEWEST, NOISE
from tests.benchmarks.side_by_side.figures import (
    CPU,
    SPEED,
    THROUGHPUT,
    Figure,
    Reach,
    Spread,
)
from tests.benchmarks.side_by_side.sides import RELAY, Side

_TRIES: Final = 2

Work = Callable[[Side], object]


@dataclass(frozen=True)
class Reading:
    cpu: float
    wall: float


@dataclass(frozen=True)
class Turn:
    reference: tuple[Reading, Reading]
    others: dict[str, Reading]


@dataclass(frozen=True)
class Compared:
    """What was measured of one row, the sides without the reference in `others`."""

    reference: str
    others: tuple[str, ...]
    turns: Sequence[Turn]
    peaks: dict[str, int]

    def ratio(self, measure: str, side: str) -> Spread | None:
        """The side against the reference; None if too few turns are valid."""
        valid, clock = _valid(self.turns, measure), _CLOCKS[measure]
        if not valid or len(valid) < min(FEWEST, len(self.turns)):
            return None
        ratios = [clock(t.others[side]) / statistics.mean(map(clock, t.reference)) for t in valid]
        return spread(ratios if measure == CPU else [1 / ratio for ratio in ratios])

    def figure(
        self, workload: str, measure: str, side: str, reach: Reach | None, details: str = ""
    ) -> Figure:
        """A line of the report, with the relay's figure if the relay is not the reference."""
        return Figure(
            workload,
            measure,
            self.reference,
            self.ratio(measure, side),
            reach,
            relay=self.ratio(measure, RELAY) if RELAY in self.others else None,
            turns=len(self.turns),
            void=len(self.turns) - len(_valid(self.turns, measure)),
            details=details,
        )

    def reference_cpu(self) -> float:
        return statistics.median(r.cpu for turn in self.turns for r in turn.reference)


# What each measure is taken from. More speed and more throughput take less time.
_CLOCKS: Final[Mapping[str, Callable[[Reading], float]]] = {
    CPU: lambda reading: reading.cpu,
    SPEED: lambda reading: reading.cpu,
    THROUGHPUT: lambda reading: reading.wall,
}


def _valid(turns: Sequence[Turn], measure: str) -> Sequence[Turn]:
    found = []
    for turn in turns:
        before, after = map(_CLOCKS[measure], turn.reference)
        if abs(before - after) <= NOISE * min(before, after):
            found.append(turn)
    return found


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def compare(sides: Sequence[Side], work: Work, turns: int) -> Compared:
    """`sides[0]` is the reference. There are more turns if too many have no valid CPU time; times
    on the clock are noisier, and not waited for."""
    reference, *others = sides
    for side in sides:
        work(side)  # fills caches and pools
    done: list[Turn] = []
    while len(done) < turns * _TRIES:
        before = read(reference, work)
        measured = {side.name: read(side, work) for side in others}
        done.append(Turn((before, read(reference, work)), measured))
        if len(done) >= turns and len(_valid(done, CPU)) >= min(turns, FEWEST):
            break
    peaks = {side.name: side.peak() for side in sides}
    return Compared(reference.name, tuple(side.name for side in others), done, peaks)


def read(side: Side, work: Work) -> Reading:
    cpu, began = side.cpu_seconds(), time.perf_counter()
    work(side)
    wall = time.perf_counter() - began
    return Reading(side.cpu_seconds() - cpu, wall)
