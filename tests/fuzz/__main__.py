"""`python -m tests.fuzz [--requests N] [--seed N]`; exits with 1 if something is found.

`FUZZ_REQUESTS` in the environment is the budget too.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.fuzzer import Fuzzer, stage


async def run(budget: int, seed: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with stage(Path(folder) / "state") as at:
            began = time.monotonic()
            report = await Fuzzer(at, seed).run(budget)
            took = time.monotonic() - began
    print(f"{report.requests} requests in {took:.0f} s; seed {seed}")
    print("answers:", dict(sorted(report.answers.items())), "none:", report.unanswered)
    print("before:", report.before)
    print("after: ", report.after)
    print(f"{len(report.findings)} findings:", *report.findings, sep="\n")
    return 1 if report.findings else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    budget = int(os.environ.get("FUZZ_REQUESTS", "1000000"))
    parser.add_argument("--requests", type=int, default=budget)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    return asyncio.run(run(chosen.requests, chosen.seed))


if __name__ == "__main__":
    sys.exit(main())
