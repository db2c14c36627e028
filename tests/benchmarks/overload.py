"""`python -m tests.benchmarks.overload [--seconds N]`: the proxy beyond its limits, with wrk.

Ratios within one run, since single figures depend on the machine: the latency of the accepted work
at twice the limit to that at the limit, and that of one tenant's calls during another's flood to
that without. The provider takes 100 ms for every answer. Exits with 1 if a promise is broken.
"""

import argparse
import asyncio
import os
import shutil
import sys
from contextlib import suppress
from statistics import median
from time import perf_counter
from typing import Final

import orjson

from tests.benchmarks.scale import QUICK
from tests.benchmarks.stage import Stage, stage
from tests.benchmarks.wrk import Load, Measured, run
from tests.processes import Process, fake

LIMIT: Final = 32
"""FERRY_MAX_CONNECTIONS of the proxy that is overloaded."""
FLOOD: Final = 64
"""The connections of the tenant that floods."""
LARGE: Final = 1 << 20
"""The size of a creation of that tenant."""

ANSWER_SECONDS: Final = 0.1
SETTLE_SECONDS: Final = 1.0
QUICK_SECONDS: Final = 0.1
OTHER: Final = "second"
OTHER_KEY: Final = "sk-of-the-other-tenant"
ROWS: Final = "{:<58}{:>12}{:>12}{:>9}  {}"


class Report:
    def __init__(self) -> None:
        self.kept = True
        print(ROWS.format("", "before", "during", "ratio", ""))

    def ratio(self, what: str, before: float, during: float, most: float) -> None:
        kept = during <= most * before
        self.kept = self.kept and kept
        figures = (f"{before * 1000:.1f} ms", f"{during * 1000:.1f} ms", f"{during / before:.2f}")
        print(ROWS.format(what, *figures, _verdict(kept)), flush=True)

    def at_most(self, what: str, found: float, most: float) -> None:
        kept = found <= most
        self.kept = self.kept and kept
        print(ROWS.format(what, "", f"{found * 1000:.1f} ms", "", _verdict(kept)), flush=True)

    def refusals(self, load: Measured) -> None:
        """Nothing but answers, and refusals that say when to come again."""
        kept = load.unnamed == 0 and set(load.statuses) <= {200, 429, 503}
        self.kept = self.kept and kept
        what = f"  statuses {dict(load.statuses)}, {load.unnamed} without Retry-After"
        print(ROWS.format(what, "", "", "", _verdict(kept)), flush=True)


def _verdict(kept: bool) -> str:
    return "kept" if kept else "BROKEN"


async def beyond_the_limit(report: Report, seconds: int) -> None:
    """As many connections again as the limit. Those that are refused try ten times a second."""
    env = {"FERRY_MAX_CONNECTIONS": str(LIMIT)}
    async with stage("openai", QUICK, env) as ready:
        await ready.settings(answer_delay=ANSWER_SECONDS)
        accepted = Load(LIMIT, ready.url("v1beta/files"), ready.headers)
        at_limit = await run(accepted, seconds)
        running = asyncio.create_task(run(accepted, seconds + 2))
        await asyncio.sleep(SETTLE_SECONDS)  # these are connected first
        more = Load(LIMIT, ready.url("v1beta/files"), ready.headers, pause=100)
        refused = await run(more, seconds)
        beyond = await running
    report.ratio("accepted at twice the limit, median", at_limit.median, beyond.median, 1.25)
    report.ratio("accepted at twice the limit, p99", at_limit.p99, beyond.p99, 1.5)
    report.at_most("refused, p99", refused.p99, QUICK_SECONDS)
    report.refusals(refused)
    if not refused.refused():
        raise RuntimeError("nothing was refused beyond the limit")


async def flooded(report: Report, what: str, flood: Load, ready: Stage, seconds: int) -> None:
    quiet = await latencies(ready, seconds)
    flooding = asyncio.create_task(run(flood, seconds + 2))
    await asyncio.sleep(SETTLE_SECONDS)
    during = await latencies(ready, seconds)
    measured = await flooding
    report.ratio(f"another tenant during {what}, median", median(quiet), median(during), 2)
    report.ratio(f"another tenant during {what}, p95", _p95(quiet), _p95(during), 2)
    print(
        f"  the flood: statuses {dict(measured.statuses)}, {measured.unnamed} without Retry-After"
    )


async def latencies(ready: Stage, seconds: int) -> list[float]:
    """Those of a tenant that makes one call after the other."""
    headers = {"x-goog-api-key": OTHER_KEY, "x-model-provider": OTHER}
    found: list[float] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                asked = perf_counter()
                async with ready.client.get(ready.url("v1beta/files"), headers=headers) as answer:
                    await answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"the quiet tenant got {answer.status}")
                found.append(perf_counter() - asked)
    return found


def _p95(times: list[float]) -> float:
    return sorted(times)[len(times) * 95 // 100]


async def floods(report: Report, seconds: int) -> None:
    # The other tenant has an upstream of its own: what is measured is the proxy, not the fake.
    async with fake("openai") as other, stage("openai", QUICK, _second(other)) as ready:
        await ready.settings(answer_delay=ANSWER_SECONDS, read_rate=None)
        control = f"{other.ready['control']}/_fake/settings"
        async with ready.client.post(control, json={"answer_delay": ANSWER_SECONDS}) as answer:
            answer.raise_for_status()
        calls = Load(FLOOD, ready.url("v1beta/files"), ready.headers)
        await flooded(report, f"{FLOOD} connections of calls", calls, ready, seconds)
        text = {"contents": [{"parts": [{"text": "x" * LARGE}]}]}
        requests = {"requests": {"requests": [{"request": text}]}}
        creations = Load(
            FLOOD,
            ready.url("v1beta/models/gpt-4o-mini:batchGenerateContent"),
            ready.headers | {"Content-Type": "application/json"},
            "POST",
            orjson.dumps({"batch": {"inputConfig": requests}}).decode(),
        )
        await flooded(report, f"{FLOOD} creations of 1 MiB at once", creations, ready, seconds)


def _second(other: Process) -> dict[str, str]:
    prefix = f"FERRY_PROVIDERS__{OTHER.upper()}__"
    return {f"{prefix}KIND": "openai", f"{prefix}BASE_URL": other.url}


async def measure(seconds: int) -> int:
    report = Report()
    await beyond_the_limit(report, seconds)
    await floods(report, seconds)
    # Other programs that want the processor make every figure worse, and the ratios too.
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    return 0 if report.kept else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.overload")
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    chosen = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is missing: install wrk, the name of its package in Debian", file=sys.stderr)
        return 2
    return asyncio.run(measure(chosen.seconds))


if __name__ == "__main__":
    sys.exit(main())
