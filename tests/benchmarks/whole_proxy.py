"""`python -m tests.benchmarks.whole_proxy [--only WORD]`: the CPU cost of batches in the proxy.

A ratio is the CPU time that `orjson.loads` alone takes for the lines, divided by what the proxy's
process takes for the request, by the kernel's accounting. The fake of the provider and the client
are other processes.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import orjson

from tests.benchmarks.batches import create, put_input, upload
from tests.benchmarks.ratios import cpu_seconds
from tests.benchmarks.scale import QUICK
from tests.benchmarks.stage import Stage, stage
from tests.benchmarks.translated_lines import gemini_line

KINDS: Final = ("openai", "anthropic", "bedrock")
REPETITIONS: Final = 5
_NOISE: Final = 0.15
_TRIES: Final = 15
# Of the kernel's CPU accounting, in seconds.
_TICK: Final = 1 / os.sysconf("SC_CLK_TCK")
REQUESTS: Final = 5_000
# Characters of a request's text. The fakes' answers repeat it.
LENGTHS: Final = {"results": 10_000, "creation": 4_000}
SCALE: Final = replace(
    QUICK,
    requests=REQUESTS,
    read_rate=1 << 40,
)


@dataclass(slots=True)
class Spent:
    """CPU seconds: `parsing` the lines, and those of the proxy."""

    parsing: list[float]
    proxy: list[float]

    def ratio(self) -> float:
        return statistics.median(p / w for p, w in zip(self.parsing, self.proxy, strict=True))


def _process_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


async def _input(stage: Stage, lines: list[bytes]) -> str:
    """The name of an input file, which needs no upload by the proxy where it can be avoided."""
    if stage.kind == "openai":
        return f"files/{await put_input(stage, lines)}"
    with tempfile.TemporaryFile() as file:
        file.writelines(lines)
        return await upload(stage, file)


async def _results(stage: Stage, batch: str, form: str) -> bytes:
    while not (operation := await stage.get(batch))["done"]:
        pass  # each get advances the fake's batch by one state
    url = stage.url(f"download/v1beta/{operation['response']['responsesFile']}:download?alt=media")
    headers = {**stage.headers, "x-ferry-results": form}
    async with stage.client.get(url, headers=headers) as answer:
        return await answer.read()


def _parse(lines: list[bytes]) -> float:
    def run() -> None:
        for line in lines:
            orjson.loads(line)

    return cpu_seconds(run)


async def _measured(stage: Stage, operation: str) -> Spent:
    lines = [gemini_line(number, LENGTHS[operation]) + b"\n" for number in range(REQUESTS)]
    name = await _input(stage, lines)
    batch = await create(stage, name)
    if operation == "results":
        lines = (await _results(stage, batch, "native")).splitlines()
    spent = Spent([], [])
    for _ in range(_TRIES):
        if len(spent.proxy) == REPETITIONS:
            break
        before, began = _parse(lines), _process_seconds(stage.proxy.pid)
        if operation == "results":
            data = await _results(stage, batch, "gemini")
            if data.count(b"\n") != REQUESTS:
                raise RuntimeError(f"{data.count(10)} results came")
        else:
            await create(stage, name)
        took, after = _process_seconds(stage.proxy.pid) - began, _parse(lines)
        if abs(before - after) <= _NOISE * min(before, after):
            spent.parsing.append((before + after) / 2)
            spent.proxy.append(took)
    return spent


async def run(only: str) -> None:
    print(f"{'row':<24}{'ratio':>8}{'us/line':>9}{'repetitions':>13}")
    for kind in KINDS:
        for operation in ("results", "creation"):
            row = f"{operation} {kind}"
            if only not in row:
                continue
            async with stage(kind, SCALE, {}) as ready:
                spent = await _measured(ready, operation)
            if not spent.proxy:
                print(f"{row:<24}  every repetition was void")
                continue
            per_line = statistics.median(spent.proxy) / REQUESTS * 1e6
            count = len(spent.proxy)
            print(f"{row:<24}{spent.ratio():>8.3f}{per_line:>9.1f}{count:>13}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.whole_proxy")
    parser.add_argument("--only", default="", metavar="WORD", help="in the row's name")
    asyncio.run(run(parser.parse_args().only))
    return 0


if __name__ == "__main__":
    sys.exit(main())
