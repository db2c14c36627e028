"""Rows of small answers: what one call costs, beside the bare relay of the native call."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.batches import MODELS
from tests.benchmarks.side_by_side import load
from tests.benchmarks.side_by_side.figures import CPU, Figure, Reach
from tests.benchmarks.side_by_side.native_calls import FILES, KINDS, Native, native_calls
from tests.benchmarks.side_by_side.plan import Plan
from tests.benchmarks.side_by_side.sides import FERRY, Origin, Side, ferry, relay
from tests.benchmarks.side_by_side.turns import Compared, compare
from tests.processes import Process, fake, upstream_settings

BATCHES_GET, FILES_GET, FILES_LIST = "batches.get", "files.get", "files.list"
REACHES: Final = {
    BATCHES_GET: Reach("≤", 2.0),
    FILES_GET: Reach("≤", 2.0),
    FILES_LIST: Reach("≤", 2.5),
}


CONNECTIONS: Final = 4
REQUESTS: Final = 100
"""In the batch: the fewest that Bedrock takes."""


@dataclass(frozen=True)
class Call:
    """One call: its path at the proxy, and what the provider gets for it."""

    name: str
    path: str
    native: Native


async def small_rows(plan: Plan) -> AsyncIterator[Figure]:
    for kind in KINDS:
        if not any(plan.wants(f"{kind} {call}") for call in REACHES):
            continue
        with tempfile.TemporaryDirectory() as folder:
            async with (
                fake(kind) as origin,
                ferry(Path(folder), plan.core, {kind: upstream_settings(origin)}) as side,
            ):
                for call in await asyncio.to_thread(prepare, kind, origin, side):
                    if plan.wants(name := f"{kind} {call.name}"):
                        compared = await _compared(plan, side, call)
                        reach, calls = REACHES[call.name], plan.size.calls
                        yield small_figure(name, compared, calls, reach)


async def _compared(plan: Plan, side: Side, call: Call) -> Compared:
    native = call.native
    async with relay(plan.core, Origin(native.origin), native.headers) as bare:

        def work(asked: Side) -> None:
            method, path = ("GET", call.path) if asked is side else (native.method, native.path)
            load.asks(asked, method, path, plan.size.calls, CONNECTIONS)

        return await asyncio.to_thread(compare, [bare, side], work, plan.size.turns)


def small_figure(name: str, compared: Compared, calls: int, reach: Reach) -> Figure:
    details = f"{compared.reference}: {compared.reference_cpu() / calls * 1e6:.0f} µs/call"
    return compared.figure(name, CPU, FERRY, reach, details)


def prepare(kind: str, origin: Process, side: Side) -> Sequence[Call]:
    """Makes files and a batch by way of the proxy; the calls for them."""
    for _ in range(FILES):
        load.upload(side, 100, 100)
    batch = _create_batch(side, MODELS[kind])
    control = Side("the fake", origin.pid, origin.ready["control"], {})
    load.call(control, "/_fake/settings", {"auto_advance": False})  # the batch stays as it is
    file = load.call(side, f"/v1beta/files?pageSize={FILES}")["files"][0]["name"]
    natives = native_calls(kind, origin)
    paths = (f"/v1beta/{batch}", f"/v1beta/{file}", f"/v1beta/files?pageSize={FILES}")
    return [Call(*each) for each in zip(REACHES, paths, natives, strict=True)]


def _create_batch(ferry: Side, model: str) -> str:
    contents = [{"role": "user", "parts": [{"text": "What is 2+2?"}]}]
    requests = [
        {"request": {"contents": contents}, "metadata": {"key": f"{number}"}}
        for number in range(REQUESTS)
    ]
    batch = {"displayName": "a", "inputConfig": {"requests": {"requests": requests}}}
    path = f"/v1beta/models/{model}:batchGenerateContent"
    return str(load.call(ferry, path, {"batch": batch})["name"])
