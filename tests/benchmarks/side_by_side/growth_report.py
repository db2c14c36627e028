"""How cost grows, as a table and as a picture."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log2
from typing import Final

from tests.benchmarks.side_by_side.figures import Spread
from tests.benchmarks.side_by_side.picture import head, text
from tests.benchmarks.side_by_side.sides import FERRY


@dataclass(frozen=True)
class Axis:
    """What grows, in which unit, and in which unit its CPU time is given."""

    name: str
    unit: str
    cost: str


SIZE: Final = Axis("file size", "MiB", "s/GiB")
LINES: Final = Axis("lines of a batch", "lines", "µs/line")
CONNECTIONS: Final = Axis("connections, a chunk of 8 MiB on each", "connections", "s/GiB")


@dataclass(frozen=True)
class Point:
    """`cost` is CPU time for each unit, `memory` what the peak has over idle, in MiB."""

    axis: Axis
    series: str
    amount: int
    cost: Spread
    memory: float


def line(point: Point) -> str:
    cost = point.cost
    return (
        f"| {point.series} | {point.amount} {point.axis.unit} | {cost.median:.3g} "
        f"({cost.least:.3g} to {cost.most:.3g}) {point.axis.cost} | {point.memory:.0f} MiB |"
    )


def markdown(points: Sequence[Point], measured: str) -> str:
    return "\n".join(
        (
            f"# How the cost of {FERRY} grows",
            "",
            "![CPU time for each unit and memory over idle](growth.svg)",
            "",
            measured,
            "Repeat it with `make bench-growth`, or with `make bench-growth LONG=--long` up to the",
            "largest that a provider takes. A cost is the median of three readings, with the least",
            "and the most; it stays the same where cost grows in a straight line.",
            "",
            "| work | amount | CPU time for each unit | memory over idle |",
            "|---|---|---|---|",
            *map(line, points),
            "",
        )
    )


# --- the picture ----------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _LEFT, _TOP, _LEGEND = 300, 150, 56, 24, 200
_COLUMN, _ROW = _LEFT + _WIDTH + 20, _TOP + _HEIGHT + 34
_COLOURS: Final = (
    *("#2b6cb0", "#c05621", "#2f855a", "#6b46c1"),
    *("#b83280", "#718096", "#975a16", "#00838f"),
)


def picture(points: Sequence[Point], measured: str) -> str:
    """A column for each axis: CPU time for each unit above, memory below."""
    axes = list(dict.fromkeys(point.axis for point in points))
    body: list[str] = []
    for column, axis in enumerate(axes):
        found = [point for point in points if point.axis == axis]
        left = column * _COLUMN + _LEFT
        costs = [(each, each.cost.median) for each in found]
        body.extend(_panel(f"{axis.name}: {axis.cost}", left, _TOP, costs))
        memories = [(each, each.memory) for each in found]
        body.extend(_panel(f"{axis.name}: MiB over idle", left, _TOP + _ROW, memories))
        body.extend(_legend(found, left, _TOP + 2 * _ROW - 16))
    width, height = len(axes) * _COLUMN, 2 * _ROW + _LEGEND
    body.append(text(10, height - 8, measured))
    return "\n".join((*head(width, height), *body, "</svg>", ""))


def _panel(title: str, left: int, top: int, values: Sequence[tuple[Point, float]]) -> Iterator[str]:
    """From 0 up; each step to the right of the same width is a doubling."""
    most = max(value for _, value in values) * 1.1 or 1.0
    amounts = sorted({point.amount for point, _ in values})
    first, last = log2(amounts[0]), log2(amounts[-1])
    width = _WIDTH / (last - first) if last > first else 0.0

    def x(amount: int) -> float:
        return left + (log2(amount) - first) * width

    def y(value: float) -> float:
        return top + _HEIGHT * (1 - value / most)

    yield text(left, top - 8, title)
    yield (
        f'<path d="M{left} {top}V{top + _HEIGHT}H{left + _WIDTH}" fill="none" stroke="#a0aec0"/>'
    )
    for value in (0.0, most / 2, most):
        yield text(left - 6, y(value) + 4, f"{value:.3g}", anchor="end")
    for amount in amounts:
        yield text(x(amount), top + _HEIGHT + 14, _short(amount), anchor="middle")
    for colour, name in zip(_COLOURS, _names(point for point, _ in values), strict=False):
        marks = [(x(p.amount), y(value)) for p, value in values if p.series == name]
        path = "L".join(f"{across:.1f} {down:.1f}" for across, down in marks)
        yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for across, down in marks:
            yield f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3" fill="{colour}"/>'


def _legend(points: Sequence[Point], left: int, top: int) -> Iterator[str]:
    for row, (colour, name) in enumerate(zip(_COLOURS, _names(points), strict=False)):
        y = top + row * 18
        yield f'<rect x="{left}" y="{y - 10}" width="12" height="12" fill="{colour}"/>'
        yield text(left + 18, y, name)


def _names(points: Iterable[Point]) -> list[str]:
    return list(dict.fromkeys(point.series for point in points))


def _short(amount: int) -> str:
    return f"{amount // 1000}k" if amount >= 1000 and amount % 1000 == 0 else str(amount)
