"""`python -m tests.benchmarks.translation [--only WORD]`: the CPU cost of translation.

A row is a ratio: how much CPU `orjson.loads` alone takes for the same lines, divided by what the
translation takes, in memory and without sockets. 1.0 is as fast as parsing.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from proxy.input_spools import InputSpools
from tests.benchmarks.ratios import TooNoisyError, cpu_seconds, ratio
from tests.benchmarks.translated_lines import (
    TRANSLATIONS,
    create,
    gemini_line,
    table_of,
    translate_results,
)

# Characters of a line's text: a short answer, and a long one.
SIZES: Final = (1_000, 10_000)
TOTAL_BYTES: Final = 3_000_000


Run = Callable[[], Coroutine[Any, Any, int]]


@dataclass(frozen=True, slots=True)
class Row:
    """`run` translates `lines` once."""

    name: str
    lines: Sequence[bytes]
    run: Run


def rows(size: int, spools: InputSpools) -> Iterator[Row]:
    """A creation with a spool, and one that reads its input twice."""
    count = TOTAL_BYTES // size
    requests = [gemini_line(number, size) for number in range(count)]
    for name, translation in TRANSLATIONS.items():
        answers = [translation.result(number, size) for number in range(count)]
        data = b"\n".join(answers)
        run = partial(translate_results, translation, table_of(answers), data)
        yield Row(f"results {name} {size}", answers, run)
        run = partial(create, translation, b"\n".join(requests), spools.open)
        yield Row(f"creation {name} {size}", requests, run)
        run = partial(create, translation, b"\n".join(requests))
        yield Row(f"creation {name} {size} twice", requests, run)


def _parse_all(lines: Sequence[bytes]) -> None:
    for line in lines:
        orjson.loads(line)


def _measured(row: Row) -> str:
    try:
        found = ratio(
            lambda: cpu_seconds(lambda: _parse_all(row.lines)),
            lambda: cpu_seconds(lambda: asyncio.run(row.run())),
        )
    except TooNoisyError as error:
        return f"{row.name:<34}  {error}"
    per_line = found.subject_seconds / len(row.lines) * 1e6
    return f"{row.name:<34}{found.value:>8.3f}{per_line:>9.1f}{found.void:>6}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.translation")
    parser.add_argument("--only", default="", metavar="WORD", help="in the row's name")
    chosen = parser.parse_args()
    print(f"{'row':<34}{'ratio':>8}{'us/line':>9}{'void':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            for row in rows(size, InputSpools(Path(folder))):
                if chosen.only in row.name:
                    print(_measured(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
