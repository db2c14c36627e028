"""The picture of the report: bars for the figures that are ratios, drawn as SVG."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from tests.benchmarks.side_by_side.figures import CPU, SPEED, Figure
from tests.benchmarks.side_by_side.sides import FERRY, RELAY

_COLOURS: Final = {RELAY: "#9aa5b1", FERRY: "#2b6cb0"}
_RED: Final = "#c53030"
_TITLES: Final = {
    CPU: "CPU time against the reference: shorter is better, 1 is as much",
    SPEED: "Speed against parsing alone: longer is better, 1 is as fast",
}
_LEFT, _RIGHT, _TOP, _BAR, _GAP = 480, 470, 48, 14, 10
_WIDTH = _LEFT + _RIGHT + 60


def picture(figures: Sequence[Figure], measured: str) -> str:
    """A part for each of the two measures, with a scale of its own; `measured` says on what."""
    body: list[str] = []
    y = _TOP
    for measure, title in _TITLES.items():
        shown = [figure for figure in figures if figure.measure == measure and figure.reference]
        if shown:
            body.append(text(10, y + 16, title))
            y = _part(body, shown, y + 28) + 16
    body.append(text(10, y + 10, measured))
    return "\n".join((*head(_WIDTH, y + 20), *_legend(), *body, "</svg>", ""))


def _part(body: list[str], figures: Sequence[Figure], top: int) -> int:
    """Adds the bars from `top` down, and returns where they end."""
    most = max((length for figure in figures for _, length in _bars(figure)), default=0.0)
    bounds = [figure.reach.bound for figure in figures if figure.reach is not None]
    scale, y = _RIGHT / max(most, *bounds, 1.0), top
    for figure in figures:
        bars = _bars(figure)
        label = f"{figure.workload} (1 = {figure.reference})"
        body.append(text(_LEFT - 10, y + 5 + _BAR * len(bars) // 2, label, anchor="end"))
        begin, bound = y, figure.reach.bound * scale if figure.reach is not None else 0.0
        for side, length in bars:
            body.extend(_bar(side, length, y, scale, bound))
            y += _BAR
        if bound:
            x = _LEFT + bound
            body.append(f'<path d="M{x:.1f} {begin - 2}V{y}" stroke="{_RED}" stroke-width="2"/>')
        y += _GAP
    return y


def _bars(figure: Figure) -> list[tuple[str, float]]:
    """Without those that were too noisy."""
    found = {RELAY: figure.relay, FERRY: figure.now}
    return [(side, spread.median) for side, spread in found.items() if spread is not None]


def head(width: int, height: int) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12" fill="#1a202c">'
    )
    yield f'<rect width="{width}" height="{height}" fill="#ffffff"/>'


def _legend() -> Iterator[str]:
    x = 10
    for name, colour in (*_COLOURS.items(), ("what the project wants to reach", _RED)):
        yield f'<rect x="{x}" y="12" width="12" height="12" fill="{colour}"/>'
        yield text(x + 18, 22, name)
        x += 110


def _bar(side: str, length: float, y: int, scale: float, bound: float) -> Iterator[str]:
    """Its figure is to the right of the bar and of the bound."""
    width = length * scale
    yield (
        f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR - 2}" '
        f'fill="{_COLOURS[side]}"/>'
    )
    yield text(_LEFT + max(width, bound) + 6, y + _BAR - 4, f"{length:.2f}")


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
