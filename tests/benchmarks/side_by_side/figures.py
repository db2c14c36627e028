"""A line of the report: what was measured, against what, and what the project wants to reach."""

from dataclasses import dataclass
from typing import Final, Literal

CPU: Final = "CPU time"
THROUGHPUT: Final = "throughput"
SPEED: Final = "speed"


@dataclass(frozen=True)
class Spread:
    """A median, and the extremes of what it is the median of."""

    median: float
    least: float
    most: float


@dataclass(frozen=True)
class Reach:
    """The bound that the project wants to keep."""

    sign: Literal["≤", "≥"]
    bound: float

    def kept(self, value: float) -> bool:
        return value <= self.bound if self.sign == "≤" else value >= self.bound


@dataclass(frozen=True)
class Figure:
    """`now` is the proxy's, `relay` the bare relay's; None if there is no valid figure.

    Without a `unit` they are multiples of the figure of `reference`. `turns` counts the void ones
    too. `why` says why there is no figure at all, and `details` what else was seen.
    """

    workload: str
    measure: str
    reference: str
    now: Spread | None
    reach: Reach | None = None
    unit: str = ""
    relay: Spread | None = None
    turns: int = 1
    void: int = 0
    details: str = ""
    why: str = ""


def not_measured(workload: str, measure: str, why: str, reach: Reach | None = None) -> Figure:
    return Figure(workload, measure, "", None, reach, turns=0, why=why)
