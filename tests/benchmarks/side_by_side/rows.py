"""The rows of the comparison."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.batches import MODELS
from tests.benchmarks.ratios import REPETITIONS
from tests.benchmarks.scale import MIB
from tests.benchmarks.side_by_side import load
from tests.benchmarks.side_by_side.sides import FERRY, RELAY, Side, cores, on_core, sides, upstream
from tests.benchmarks.side_by_side.turns import Compared, Work, compare
from tests.processes import Process, fake, upstream_settings

GIB: Final = 1 << 30
BULK_UNIT: Final = "s/GiB"
FILES: Final = 10


@dataclass(frozen=True)
class Size:
    """`bulk` in bytes, `calls` for each reading of a row of small answers."""

    bulk: int
    calls: int
    turns: int


FULL: Final = Size(GIB, 2_000, REPETITIONS)
QUICK: Final = Size(128 * MIB, 64, 1)


@dataclass(frozen=True)
class Row:
    """`units` is by how many of `unit` the CPU seconds are divided."""

    name: str
    compared: Compared
    unit: str
    units: float


async def rows(size: Size, only: str) -> AsyncIterator[Row]:
    measured, loading = cores()
    with on_core(loading):
        async for row in _bulk(size, only, measured):
            yield row
        for kind in ("openai", "anthropic"):
            async for row in _small(kind, size, only, measured):
                yield row


async def _bulk(size: Size, only: str, core: int) -> AsyncIterator[Row]:
    bulk, chunk, connections = size.bulk, load.CHUNK, 16
    mib, chunk_mib = bulk // MIB, chunk // MIB
    workloads: dict[str, Work] = {
        f"upload of {mib} MiB in one request": partial(load.upload, size=bulk, chunk=bulk),
        f"the same in chunks of {chunk_mib} MiB": partial(load.upload, size=bulk, chunk=chunk),
        f"the same on {connections} connections": partial(
            load.uploads, connections=connections, size=bulk, chunk=chunk
        ),
        f"download of {mib} MiB": partial(load.download, size=bulk),
    }
    for name, work in workloads.items():
        if only not in name:
            continue
        # New processes for each row, so that the peak of their memory is the row's.
        async with upstream() as origin:
            settings = {"gemini": {"BASE_URL": origin}}
            with tempfile.TemporaryDirectory() as folder:
                async with sides(Path(folder), core, origin, settings, with_nginx=True) as found:
                    compared = await asyncio.to_thread(compare, found, work, size.turns)
        yield Row(name, compared, BULK_UNIT, bulk / GIB)


# --- small answers --------------------------------------------------------------------------------

_BATCHES: Final = {"openai": "/batches", "anthropic": "/v1/messages/batches"}
_FILES: Final = {"openai": "/files", "anthropic": "/v1/files"}


async def _small(kind: str, size: Size, only: str, core: int) -> AsyncIterator[Row]:
    names = [f"{kind} {call}" for call in ("batches.get", "files.get", "files.list")]
    if not any(only in name for name in names):
        return
    async with fake(kind) as origin:
        settings = {kind: upstream_settings(origin)}
        with tempfile.TemporaryDirectory() as folder:
            async with sides(Path(folder), core, origin.url, settings, with_nginx=False) as found:
                paths = await asyncio.to_thread(_prepare, kind, origin, found)
                for name, path in zip(names, paths, strict=True):
                    if only not in name:
                        continue
                    work = _asking(path, size.calls)
                    compared = await asyncio.to_thread(compare, found, work, size.turns)
                    yield Row(name, compared, "µs/call", size.calls / 1e6)


def _asking(path: dict[str, str], calls: int) -> Work:
    return lambda side: load.gets(side, path[side.name], calls, 4)


def _prepare(kind: str, origin: Process, found: list[Side]) -> list[dict[str, str]]:
    """Makes files and a batch; returns the paths of each call at each side."""
    by_name = {side.name: side for side in found}
    ferry, relay = by_name[FERRY], by_name[RELAY]
    for _ in range(FILES):
        load.upload(ferry, 100, 100)
    batch = _create_batch(ferry, MODELS[kind])
    control = Side("the fake", origin.pid, origin.ready["control"], {})
    load.call(control, "/_fake/settings", {"auto_advance": False})  # the batch stays as it is
    files = load.call(ferry, f"/v1beta/files?pageSize={FILES}")["files"]
    batches_at, files_at = _BATCHES[kind], _FILES[kind]
    native_batch = load.call(relay, f"{batches_at}?limit=1")["data"][0]["id"]
    native_file = load.call(relay, f"{files_at}?limit=1")["data"][0]["id"]
    return [
        {FERRY: f"/v1beta/{batch}", RELAY: f"{batches_at}/{native_batch}"},
        {FERRY: f"/v1beta/{files[0]['name']}", RELAY: f"{files_at}/{native_file}"},
        {FERRY: f"/v1beta/files?pageSize={FILES}", RELAY: f"{files_at}?limit={FILES}"},
    ]


def _create_batch(ferry: Side, model: str) -> str:
    contents = [{"role": "user", "parts": [{"text": "What is 2+2?"}]}]
    request = {"request": {"contents": contents}, "metadata": {"key": "a"}}
    batch = {"displayName": "a", "inputConfig": {"requests": {"requests": [request]}}}
    path = f"/v1beta/models/{model}:batchGenerateContent"
    return str(load.call(ferry, path, {"batch": batch})["name"])
