"""`python -m tests.benchmarks [--quick] [--only WORD]`; exits with 1 if a limit is exceeded."""

import argparse
import asyncio
import sys
from pathlib import Path

from tests.benchmarks.measurement import Measurement
from tests.benchmarks.scale import FULL, MIB, QUICK, Scale
from tests.benchmarks.workloads import WORKLOADS, Workload, measure

COLUMNS = "{:<40}{:>12}{:>9}{:>10}{:>10}{:>10}{:>16}  {}"
HEADINGS = ("workload", "moved", "took", "at rest", "VmHWM", "limit", "worst /healthz", "verdict")


async def run(workloads: list[Workload], scale: Scale) -> int:
    print(COLUMNS.format(*HEADINGS))
    kept = True
    for workload in workloads:
        measured = await measure(workload, scale)
        print(_row(measured, scale.peak_limit), flush=True)
        kept = kept and measured.peak < scale.peak_limit
    return 0 if kept else 1


def _row(measured: Measurement, limit: int) -> str:
    return COLUMNS.format(
        measured.name,
        f"{measured.moved / MIB:.0f} MiB",
        f"{measured.seconds:.0f} s",
        f"{measured.at_rest / MIB:.1f} MiB",
        f"{measured.peak / MIB:.1f} MiB",
        f"{limit // MIB} MiB",
        f"{measured.slowest * 1000:.0f} ms",
        "kept" if measured.peak < limit else "BROKEN",
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small files and a smaller limit")
    parser.add_argument("--only", default="", metavar="WORD", help="in the workload's name")
    chosen = parser.parse_args()
    if not Path("/proc/self/status").exists():
        print("Peak memory is read from /proc, which this system lacks.", file=sys.stderr)
        return 2
    workloads = [workload for workload in WORKLOADS if chosen.only in workload.name]
    return asyncio.run(run(workloads, QUICK if chosen.quick else FULL))


if __name__ == "__main__":
    sys.exit(main())
