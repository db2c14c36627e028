"""The picture of the report: one bar for each ratio of CPU time, drawn as SVG."""

from collections.abc import Iterator, Sequence
from html import escape

from tests.benchmarks.side_by_side.rows import Row
from tests.benchmarks.side_by_side.sides import FERRY, RELAY
from tests.benchmarks.side_by_side.turns import Ratio

_COLOURS = {RELAY: "#9aa5b1", FERRY: "#2b6cb0"}
_LEFT, _RIGHT, _TOP, _BAR, _GAP = 330, 560, 56, 14, 12
_WIDTH = _LEFT + _RIGHT + 70


def picture(rows: Sequence[Row]) -> str:
    bars = [(row, _ratios(row)) for row in rows]
    most = max((ratio.median for _, found in bars for ratio in found.values()), default=1.0)
    scale = _RIGHT / max(most, 1.0)
    body, y = [], _TOP
    for row, found in bars:
        label = f"{row.name} (1 = {row.compared.reference})"
        body.append(_text(_LEFT - 10, y + 6 + _BAR * len(found) // 2, label, anchor="end"))
        for side, ratio in found.items():
            body.extend(_bar(side, ratio, y, scale))
            y += _BAR
        y += _GAP
    at_one = _LEFT + scale
    rule = f'<path d="M{at_one:.1f} {_TOP - 8}V{y}" stroke="#c53030" stroke-dasharray="4 3"/>'
    return "\n".join((*_head(y + 10), *body, rule, "</svg>", ""))


def _ratios(row: Row) -> dict[str, Ratio]:
    """Without those that were too noisy."""
    found = {side: row.compared.cpu(side) for side in row.compared.others}
    return {side: ratio for side, ratio in found.items() if ratio is not None}


def _head(height: int) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="sans-serif" font-size="12" fill="#1a202c">'
    )
    yield f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
    yield _text(10, 20, "CPU time against the reference: shorter is better, 1 is as much")
    x = 10
    for side, colour in _COLOURS.items():
        yield f'<rect x="{x}" y="30" width="12" height="12" fill="{colour}"/>'
        yield _text(x + 18, 40, side)
        x += 110


def _bar(side: str, ratio: Ratio, y: int, scale: float) -> Iterator[str]:
    width = ratio.median * scale
    yield (
        f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR - 2}" '
        f'fill="{_COLOURS[side]}"/>'
    )
    yield _text(_LEFT + width + 6, y + _BAR - 4, f"{ratio.median:.2f}")


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
