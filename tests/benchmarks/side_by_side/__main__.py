"""`python -m tests.benchmarks.side_by_side [--quick] [--only WORD]`."""

import argparse
import asyncio
import sys
import time
from pathlib import Path

from tests.benchmarks.side_by_side.figures import Figure
from tests.benchmarks.side_by_side.machine import measured_on
from tests.benchmarks.side_by_side.picture import picture
from tests.benchmarks.side_by_side.plan import FULL, QUICK, Size
from tests.benchmarks.side_by_side.rows import figures
from tests.benchmarks.side_by_side.table import REPORT, line, markdown


async def run(size: Size, only: str) -> list[Figure]:
    """Prints each figure, after the seconds since the start."""
    found, began = [], time.monotonic()
    async for figure in figures(size, only):
        print(f"{time.monotonic() - began:4.0f} s | {line(figure)}", flush=True)
        found.append(figure)
    return found


async def report() -> None:
    found = await run(FULL, "")
    REPORT.mkdir(exist_ok=True)
    measured = measured_on()
    (REPORT / "side_by_side.md").write_text(markdown(found, measured))
    (REPORT / "side_by_side.svg").write_text(picture(found, measured))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.side_by_side")
    parser.add_argument("--quick", action="store_true", help="only shows that everything works")
    parser.add_argument("--only", default="", metavar="WORD", help="in the row's name")
    chosen = parser.parse_args()
    if not Path("/proc/self/status").exists():
        print("CPU time and memory are read as Linux has them.", file=sys.stderr)
        return 2
    if chosen.quick or chosen.only:
        asyncio.run(run(QUICK if chosen.quick else FULL, chosen.only))
    else:
        asyncio.run(report())
    return 0


if __name__ == "__main__":
    sys.exit(main())
