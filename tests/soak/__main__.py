"""`python -m tests.soak [--seconds N] [--seed N]`; exits with 1 if something was lost or grew."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.soak.soak import soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(soak(Path(folder) / "state", chosen.seconds, chosen.seed))
    print(f"{report.calls} steps with {report.faults} faults and {report.kills} kills")
    print(f"{report.files} files and {report.results} results of {report.batches} batches are kept")
    print("before:", report.before)
    print("after: ", report.after)
    print(f"{len(report.findings)} findings", *report.findings, sep="\n")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
