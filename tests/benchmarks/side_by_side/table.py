"""The report: lines on the terminal, and the table in Markdown."""

import os
import platform
import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.scale import MIB
from tests.benchmarks.side_by_side.rows import BULK_UNIT, Row
from tests.benchmarks.side_by_side.sides import FERRY, NGINX, RELAY, installed_nginx
from tests.benchmarks.side_by_side.start import Started
from tests.benchmarks.side_by_side.turns import Compared, Ratio

_HEADINGS = (
    "workload",
    "reference",
    "its CPU time",
    f"CPU, {RELAY}",
    f"CPU, {FERRY}",
    f"throughput, {RELAY}",
    f"throughput, {FERRY}",
    "peak memory, MiB",
    "turns (void)",
)


def line(row: Row) -> str:
    return " | ".join(f"{text:<{width}}" for text, width in zip(_cells(row), _WIDTHS, strict=True))


_WIDTHS = (42, 10, 12, 18, 18, 18, 18, 26, 8)


def start_line(found: Started) -> str:
    return (
        f"From the start to the first answer {FERRY} takes {found.wall:.2f} s and {found.cpu:.2f} s"
        f" of CPU time, and at rest {found.memory / MIB:.0f} MiB (median of {found.starts} starts)."
    )


def markdown(rows: Sequence[Row], start: Started) -> str:
    """All of the report but the picture."""
    return "\n".join(
        (
            "# The proxy beside nginx and a bare relay",
            "",
            "![CPU time against the reference](side_by_side.svg)",
            "",
            *_explanation(),
            "",
            f"| {' | '.join(_HEADINGS)} |",
            f"|{'---|' * len(_HEADINGS)}",
            *(f"| {' | '.join(_cells(row))} |" for row in rows),
            "",
            start_line(start),
            "",
        )
    )


def _explanation() -> Iterator[str]:
    yield f"Measured on {datetime.now(UTC):%Y-%m-%d} with {_machine()}."
    yield "Repeat it with `make bench`, which needs Linux."
    yield ""
    yield f"A ratio is the figure of {FERRY} or the {RELAY} divided by the reference's: the median"
    yield "of the turns of one run, with the least and the most. A turn in which two readings of"
    yield "the reference differ by over 15 % is void. Less CPU time and more throughput are better."
    if installed_nginx() is None:
        yield f"{NGINX} was not installed, so the {RELAY} is the reference of every row."


def _machine() -> str:
    programs = [f"Python {platform.python_version()}", f"aiohttp {version('aiohttp')}"]
    if (program := installed_nginx()) is not None:
        told = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
        programs.append(f"nginx {told.strip().rpartition('/')[2]}")
    return (
        f"{', '.join(programs)} on {os.cpu_count()} cores of {_processor()}, with a load average "
        f"of {os.getloadavg()[2]:.1f} at the end (1 or 2 is the benchmark itself)"
    )


def _processor() -> str:
    for text in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, model = text.partition(":")
        if name.strip() == "model name":
            return model.strip()
    return platform.machine()


def _cells(row: Row) -> tuple[str, ...]:
    compared = row.compared
    peaks = ", ".join(f"{side} {peak / MIB:.0f}" for side, peak in compared.peaks.items())
    return (
        row.name,
        compared.reference,
        f"{compared.reference_cpu() / row.units:.3g} {row.unit}",
        *(_ratio(side, compared, Compared.cpu) for side in (RELAY, FERRY)),
        *(_throughput(side, row) for side in (RELAY, FERRY)),
        peaks,
        f"{len(compared.turns)} ({compared.void})",
    )


def _throughput(side: str, row: Row) -> str:
    """That of small calls is the load's own, so it is left out."""
    return _ratio(side, row.compared, Compared.throughput) if row.unit == BULK_UNIT else "-"


def _ratio(side: str, compared: Compared, of: Callable[[Compared, str], Ratio | None]) -> str:
    if side == compared.reference:
        return "1"
    ratio = of(compared, side)
    if ratio is None:
        return "too noisy"
    return f"{ratio.median:.2f} ({ratio.least:.2f} to {ratio.most:.2f})"
