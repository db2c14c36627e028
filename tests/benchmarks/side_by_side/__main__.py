"""`python -m tests.benchmarks.side_by_side [--quick] [--only WORD]`."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Final

from tests.benchmarks.side_by_side.picture import picture
from tests.benchmarks.side_by_side.rows import FULL, QUICK, Row, Size, rows
from tests.benchmarks.side_by_side.sides import cores
from tests.benchmarks.side_by_side.start import started
from tests.benchmarks.side_by_side.table import line, markdown, start_line

REPORT: Final = Path(__file__).parents[1] / "report"
STARTS: Final = 7


async def run(size: Size, only: str) -> list[Row]:
    found = []
    async for row in rows(size, only):
        print(line(row), flush=True)
        found.append(row)
    return found


async def report() -> None:
    found, start = await run(FULL, ""), await started(cores()[0], STARTS)
    print(start_line(start))
    REPORT.mkdir(exist_ok=True)
    (REPORT / "side_by_side.md").write_text(markdown(found, start))
    (REPORT / "side_by_side.svg").write_text(picture(found))


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
