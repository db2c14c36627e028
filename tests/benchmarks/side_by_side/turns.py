"""Measures the sides in turns, and takes the medians of ratios.

The reference is measured first and last in each turn. If the two readings differ by more than 15 %,
the turn is void: something else was using the machine.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.benchmarks.ratios import FEWEST, NOISE
from tests.benchmarks.side_by_side.figures import Spread
from tests.benchmarks.side_by_side.sides import Side

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

    def cpu(self, side: str) -> Spread | None:
        """The side's CPU time divided by the reference's."""
        return self._ratio(side, lambda reading: reading.cpu, lambda ratio: ratio)

    def speed(self, side: str) -> Spread | None:
        """The reference's CPU time divided by the side's."""
        return self._ratio(side, lambda reading: reading.cpu, lambda ratio: 1 / ratio)

    def throughput(self, side: str) -> Spread | None:
        """The side's throughput divided by the reference's."""
        return self._ratio(side, lambda reading: reading.wall, lambda ratio: 1 / ratio)

    def reference_cpu(self) -> float:
        return statistics.median(r.cpu for turn in self.turns for r in turn.reference)

    @property
    def void(self) -> int:
        """How many turns have no valid CPU time."""
        return len(self.turns) - _quiet(self.turns)

    def _ratio(
        self, side: str, of: Callable[[Reading], float], shown: Callable[[float], float]
    ) -> Spread | None:
        """None if too few turns are valid."""
        ratios = []
        for turn in self.turns:
            before, after = map(of, turn.reference)
            if abs(before - after) <= NOISE * min(before, after):
                ratios.append(shown(of(turn.others[side]) / ((before + after) / 2)))
        if not ratios or len(ratios) < min(FEWEST, len(self.turns)):
            return None
        return spread(ratios)


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def compare(sides: Sequence[Side], work: Work, turns: int) -> Compared:
    """`sides[0]` is the reference."""
    reference, *others = sides
    for side in sides:
        work(side)  # fills caches and pools
    done: list[Turn] = []
    while len(done) < turns * _TRIES:
        before = read(reference, work)
        measured = {side.name: read(side, work) for side in others}
        done.append(Turn((before, read(reference, work)), measured))
        if len(done) >= turns and _quiet(done) >= min(turns, FEWEST):
            break
    peaks = {side.name: side.peak() for side in sides}
    return Compared(reference.name, tuple(side.name for side in others), done, peaks)


def _quiet(turns: Sequence[Turn]) -> int:
    """How many turns have valid CPU times: those of the clock are noisier, and not waited for."""
    pairs = [(turn.reference[0].cpu, turn.reference[1].cpu) for turn in turns]
    return sum(abs(before - after) <= NOISE * min(before, after) for before, after in pairs)


def read(side: Side, work: Work) -> Reading:
    cpu, began = side.cpu_seconds(), time.perf_counter()
    work(side)
    wall = time.perf_counter() - began
    return Reading(side.cpu_seconds() - cpu, wall)
