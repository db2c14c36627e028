"""What the capacity model takes from the benchmark's report (tests/benchmarks/report/growth.md)."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_GROWTH: Final = Path(__file__).parent / "report" / "growth.md"
_STREAMS: Final = 64


def line_us(providers: Sequence[str]) -> dict[str, float]:
    """The CPU time of a line, there and back, in the largest batch that was measured."""
    return {
        provider: _last(f"{provider}, creation") + _last(f"{provider}, results")
        for provider in providers
    }


def stream_mib() -> float:
    """What one of 64 uploads adds to a process's memory."""
    row = rf"^\| gemini, chunks at once \| {_STREAMS} connections .* (\d+) MiB \|$"
    found = re.search(row, _GROWTH.read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{_GROWTH} has no row for {_STREAMS} connections")
    return int(found[1]) / _STREAMS


def _last(work: str) -> float:
    found = re.findall(rf"^\| {work}[^|]*\|[^|]*\| ([0-9.]+) ", _GROWTH.read_text(), re.MULTILINE)
    return float(found[-1])
