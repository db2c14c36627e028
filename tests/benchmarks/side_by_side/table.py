"""The report: lines on the terminal, and tables in Markdown."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.side_by_side.figures import Figure, Spread
from tests.benchmarks.side_by_side.sides import FERRY, NGINX, RELAY, installed_nginx

REPORT: Final = Path(__file__).parents[1] / "report"

_HEADINGS = (
    "workload",
    "measured",
    "against",
    "reach",
    FERRY,
    RELAY,
    "turns (void)",
    "besides",
)
_WIDTHS = (46, 16, 23, 7, 28, 20, 7, 0)


def line(figure: Figure) -> str:
    cells = zip(_cells(figure), _WIDTHS, strict=True)
    return " | ".join(f"{text:<{width}}" for text, width in cells).rstrip(" |")


def markdown(figures: Sequence[Figure], measured: str) -> str:
    """All of the report but the picture; `measured` says when and on what."""
    return "\n".join(
        (
            f"# {FERRY} beside {NGINX}, a bare relay and a parser",
            "",
            "![CPU time and speed against the reference](side_by_side.svg)",
            "",
            measured,
            "Repeat it with `make bench`, or one row with `make bench ONLY='download of'`.",
            "",
            *explanation(),
            "",
            *rows(figures),
            "",
        )
    )


def rows(figures: Sequence[Figure]) -> Iterator[str]:
    yield f"| {' | '.join(_HEADINGS)} |"
    yield f"|{'---|' * len(_HEADINGS)}"
    for figure in figures:
        yield f"| {' | '.join(_cells(figure))} |"


def explanation() -> Iterator[str]:
    yield "A figure is a median, with the least and the most of one run. Without a unit it is a"
    yield "multiple of the figure of what is in `against`, taken in turns with it. A turn in which"
    yield "two readings of the reference differ by over 15 % is void. `speed` is the CPU time of"
    yield "the reference divided by the proxy's, which also receives and sends the lines that the"
    yield "reference only parses. `reach` is what the project wants to keep; a figure that does not"
    yield "keep it is **bold**."
    if installed_nginx() is None:
        yield f"{NGINX} was not installed, so the {RELAY} stands in its place."


def _cells(figure: Figure) -> tuple[str, ...]:
    reach = figure.reach
    return (
        figure.workload,
        figure.measure,
        figure.reference or "-",
        f"{reach.sign} {reach.bound:.3g}{_unit(figure)}" if reach else "-",
        _now(figure),
        _spread(figure.relay) if figure.relay else "-",
        f"{figure.turns} ({figure.void})",
        figure.details or "-",
    )


def _now(figure: Figure) -> str:
    if figure.why:
        return f"not measured: {figure.why}"
    if figure.now is None:
        return "too noisy"
    text = _spread(figure.now, _unit(figure))
    missed = figure.reach is not None and not figure.reach.kept(figure.now.median)
    return f"**{text}**" if missed else text


def _unit(figure: Figure) -> str:
    return f" {figure.unit}" if figure.unit else ""


def _spread(found: Spread, unit: str = "") -> str:
    median = f"{_number(found.median)}{unit}"
    if found.least == found.most:
        return median
    return f"{median} ({_number(found.least)} to {_number(found.most)})"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 20 else f"{value:.2f}" if value >= 0.2 else f"{value:.3f}"
