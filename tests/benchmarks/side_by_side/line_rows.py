"""Rows in which lines are translated: what it costs, and how long it holds the event loop."""

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from tests.benchmarks.batches import MODELS
from tests.benchmarks.scale import MIB
from tests.benchmarks.side_by_side import load
from tests.benchmarks.side_by_side.figures import SPEED, Figure, Reach
from tests.benchmarks.side_by_side.plan import Plan
from tests.benchmarks.side_by_side.sides import FERRY, Side, ferry, ferry_process, ferry_side
from tests.benchmarks.side_by_side.turns import Compared, compare, spread
from tests.benchmarks.translated_lines import gemini_line
from tests.processes import Process, fake, upstream_settings

KINDS: Final = ("openai", "anthropic", "mistral", "bedrock")
PARSER: Final = "orjson.loads"
CALLBACK: Final = "longest callback"
WATCHED: Final = "openai"
RESULTS, CREATION = "results translated", "creation from Gemini's lines"
# Characters of a request's text. The fakes' answers repeat it.
_TEXTS: Final = {RESULTS: 10_000, CREATION: 4_000}
_SPEEDS: Final = {RESULTS: Reach("≥", 0.30), CREATION: Reach("≥", 0.10)}
_PROGRAM: Final = "tests.benchmarks.side_by_side.watched_proxy"
_MOST_MS: Final = Reach("≤", 8)


@dataclass(frozen=True)
class Translation:
    """`run` has the proxy translate `lines` once; `size` is that of all of them in bytes."""

    lines: Sequence[bytes]
    run: Callable[[], object]

    @property
    def size(self) -> int:
        return sum(map(len, self.lines))


def translation(
    side: Side, kind: str, operation: str, count: int, text: int | None = None
) -> Translation:
    """A batch of `count` requests, or the download of its results.

    `text` is how many characters each request has.
    """
    lines = [gemini_line(number, text or _TEXTS[operation]) + b"\n" for number in range(count)]
    file = load.upload_lines(side, b"".join(lines))
    if operation == CREATION:
        return Translation(lines, partial(_create, side, kind, file))
    path = _results(side, _create(side, kind, file))
    native = {**side.headers, "x-ferry-results": "native"}
    answers = load.content(Side(side.name, side.pid, side.url, native, side.prefix), path)
    return Translation(answers.splitlines(), partial(_download, side, path, count))


def _create(side: Side, kind: str, file: str) -> str:
    """The name of a new batch."""
    batch = {"displayName": "benchmark", "inputConfig": {"fileName": file}}
    path = f"/v1beta/models/{MODELS[kind]}:batchGenerateContent"
    return str(load.call(side, path, {"batch": batch})["name"])


def _results(side: Side, batch: str) -> str:
    """Where the results are, once there are some; each get advances the fake's batch."""
    operation: Any = {"done": False}
    while not operation["done"]:
        operation = load.call(side, f"/v1beta/{batch}")
    return f"/download/v1beta/{operation['response']['responsesFile']}:download?alt=media"


def _download(side: Side, path: str, count: int) -> None:
    _, lines = load.fetch(side, path)
    if lines != count:
        raise RuntimeError(f"{lines} results came, not {count}")


# --- what it costs --------------------------------------------------------------------------------


async def translated_rows(plan: Plan) -> AsyncIterator[Figure]:
    for kind in KINDS:
        for operation in (RESULTS, CREATION):
            if plan.wants(name := f"{kind} {operation}"):
                compared = await _compared(plan, kind, operation)
                micros = compared.reference_cpu() / plan.size.lines * 1e6
                details = f"{PARSER}: {micros:.0f} µs/line"
                yield compared.figure(name, SPEED, FERRY, _SPEEDS[operation], details)


async def _compared(plan: Plan, kind: str, operation: str) -> Compared:
    """The parsing is done here: this process does nothing else meanwhile."""
    parser = Side(PARSER, os.getpid(), "", {})
    with tempfile.TemporaryDirectory() as folder:
        async with (
            fake(kind) as origin,
            ferry(Path(folder), plan.core, {kind: upstream_settings(origin)}) as side,
        ):
            made = await asyncio.to_thread(translation, side, kind, operation, plan.size.lines)

            def work(measured: Side) -> None:
                if measured is side:
                    made.run()
                else:
                    for line in made.lines:
                        orjson.loads(line)

            return await asyncio.to_thread(compare, [parser, side], work, plan.size.turns)


# --- how long it holds the event loop -------------------------------------------------------------


async def callback_rows(plan: Plan) -> AsyncIterator[Figure]:
    for operation in (RESULTS, CREATION):
        if plan.wants(name := f"{WATCHED} {operation}, {CALLBACK}"):
            found, mib = await _longest(plan, operation)
            details = f"{mib:.0f} MiB each time, CPU time"
            yield Figure(
                name, CALLBACK, "", spread(found), _MOST_MS, "ms", turns=len(found), details=details
            )


async def _longest(plan: Plan, operation: str) -> tuple[list[float], float]:
    """The longest callback of each translation, in milliseconds, and the size of its lines."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            fake(WATCHED) as origin,
            ferry_process(
                Path(folder),
                [plan.core],
                {WATCHED: upstream_settings(origin)},
                program=_PROGRAM,
            ) as process,
        ):
            side, count = ferry_side(process, WATCHED), plan.size.long_lines
            made = await asyncio.to_thread(translation, side, WATCHED, operation, count)
            await _told(process, 1)  # what was before does not count
            for number in range(2, 5):
                await asyncio.to_thread(made.run)
                found.append(await _told(process, number) * 1000)
    return found, made.size / MIB


async def _told(process: Process, number: int) -> float:
    """What the watched proxy prints at a signal, for the time of that `number`."""
    process.send_signal(signal.SIGUSR1)
    line = await process.line_with(f'"number": {number}}}')
    return float(json.loads(line)["longest"])
