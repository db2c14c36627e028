"""`python -m tests.benchmarks.replicas [--only PROVIDER] [--record]`: replicas on one bucket.

First two replicas behind nginx, on a bucket whose answers take 30 ms, show what each operation
costs, CPU time and requests to S3, and what a replica costs that does nothing. One replica would
keep each record that it read, and ask for it once. Then two and four replicas, at 30 and 100 ms, do
the same work. The first two do it again in the same seconds, because the speed of a machine
changes: the CPU time is compared with theirs, and the requests with the first figures. `--record`
writes the first figures, and some of the benchmark's report, to tests/recorded/capacity.json, which
the capacity model reads.
The exit code is 1 if a prediction is wrong by over 10 %.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.benchmarks.report_figures import line_us, stream_mib
from tests.benchmarks.side_by_side.sides import FERRY, Side
from tests.buckets import FakeS3, new_prefix
from tests.end_to_end.batch_client import BatchClient, asking, inline
from tests.end_to_end.fake_client import KINDS, FakeClient
from tests.end_to_end.nginx import nginx
from tests.end_to_end.upload_client import UploadClient
from tests.processes import fake, proxy
from tests.recorded_counts import FOLDER

CAPACITY: Final = FOLDER / "capacity.json"
PROVIDERS: Final = ("openai", "anthropic", "mistral", "bedrock")
OPERATIONS: Final = ("start", "first chunk", "middle chunk", "last chunk", "create", "get")
CHUNK: Final = 8 << 20
LAST: Final = 100 << 10
DELAYS: Final = (0.03, 0.1)
WRONG: Final = 0.1
BUSY: Final = 0.6
_WARM: Final = 10
"""Sessions for each replica before the first that counts: Python code becomes faster with use."""
_MEASURED: Final = 10
_FIRST_FLEET: Final = 2
_FIRST_DELAY: Final = 0.03
"""Not 0: a call that waits wakes its replica once more, and no real bucket answers at once."""
_IDLE_SECONDS: Final = 8
_SESSIONS: Final = 20
_PAUSE: Final = 1.0
"""Seconds between the starts of two sessions: more would load the machine over `BUSY`."""


@dataclass
class Cost:
    """CPU seconds, and requests to S3 by the class that has a price."""

    cpu: float = 0.0
    requests: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Fleet:
    """Replicas behind nginx, with the bucket and the clients."""

    replicas: Sequence[Side]
    s3: FakeS3
    prefix: str
    uploads: UploadClient
    batches: BatchClient

    def cpu(self) -> float:
        return sum(replica.cpu_seconds() for replica in self.replicas)

    async def requests(self) -> Counter[str]:
        return Counter(_price_class(request) for request in await self.s3.requests(self.prefix))

    async def session(self) -> AsyncIterator[str]:
        """An upload in three chunks, a batch, and a look at it; yields after each operation."""
        url = await self.uploads.begin(2 * CHUNK + LAST)
        yield "start"
        await self.uploads.insist(url, 0, bytes(CHUNK))
        yield "first chunk"
        await self.uploads.insist(url, CHUNK, bytes(CHUNK))
        yield "middle chunk"
        await self.uploads.insist(url, 2 * CHUNK, bytes(LAST), finalize=True)
        yield "last chunk"
        batch = (await self.batches.create(inline({"request": asking("hello")}))).ok
        yield "create"
        (await self.batches.get(batch["name"])).ok  # noqa: B018 - raises unless it was found
        yield "get"


def _price_class(request: Any) -> str:
    method, query = request["method"], request["query"]
    if method in ("PUT", "POST"):
        return "put"
    if method == "GET" and query.keys() & {"list-type", "uploads", "uploadId"}:
        return "list"
    return "delete" if method == "DELETE" else "get"


@asynccontextmanager
async def fleet(kind: str, replicas: int, delay: float) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        http = await enter(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)))
        upstream = await enter(fake(kind, *KINDS[kind].fake_options))
        s3, prefix = FakeS3((await enter(fake("s3"))).url), new_prefix()
        settings = {kind: FakeClient(KINDS[kind], upstream, http).as_upstream}
        processes = [
            await enter(proxy(folder, settings, s3.settings(prefix))) for _ in range(replicas)
        ]
        front = f"{await enter(nginx(folder, *(each.url for each in processes)))}/genai"
        found = Fleet(
            [Side(FERRY, each.pid, each.url, {}) for each in processes],
            s3,
            prefix,
            UploadClient(front, KINDS[kind], http),
            BatchClient(front, KINDS[kind], http),
        )
        for _ in range(_WARM * replicas):
            async for _ in found.session():
                pass
        await s3.post("settings", {"answer_delay": delay})
        yield found


@dataclass(frozen=True)
class Constants:
    """What each operation costs, and the CPU seconds of an idle replica in a second."""

    operations: dict[str, Cost]
    idle: float

    def requests(self, sessions: int) -> float:
        found = sum(cost.requests.total() for cost in self.operations.values())
        return found / _MEASURED * sessions


async def constants(first: Fleet) -> Constants:
    costs = {operation: Cost() for operation in OPERATIONS}
    began = first.cpu()
    await asyncio.sleep(_IDLE_SECONDS)
    idle = (first.cpu() - began) / _IDLE_SECONDS / len(first.replicas)
    for _ in range(_MEASURED):
        cpu, requests = first.cpu(), await first.requests()
        async for operation in first.session():
            after, found = first.cpu(), await first.requests()
            costs[operation].cpu += (after - cpu) / _MEASURED
            costs[operation].requests += found - requests
            cpu, requests = after, found
    return Constants(costs, idle)


@dataclass(frozen=True)
class Together:
    """All sessions of several replicas, and what the first fleet took for the same sessions.

    `busy` is the machine's share.
    """

    cost: Cost
    first_cpu: float
    seconds: float
    busy: float


async def together(first: Fleet, several: Fleet) -> Together:
    cpu, requests, first_cpu = several.cpu(), await several.requests(), first.cpu()
    machine, began = _machine(), time.monotonic()

    async def one(number: int) -> None:
        await asyncio.sleep(number * _PAUSE)
        for each in (first, several) if number % 2 else (several, first):
            async for _ in each.session():
                pass

    await asyncio.gather(*(one(number) for number in range(_SESSIONS)))
    seconds = time.monotonic() - began
    idle, whole = (after - before for before, after in zip(machine, _machine(), strict=True))
    cost = Cost(several.cpu() - cpu, await several.requests() - requests)
    return Together(cost, first.cpu() - first_cpu, seconds, 1 - idle / whole)


def _machine() -> tuple[int, int]:
    """The ticks in which its processors were idle, and all."""
    fields = [int(each) for each in Path("/proc/stat").read_text().split()[1:9]]
    return fields[3] + fields[4], sum(fields)


# --- the command ----------------------------------------------------------------------------------


async def run(kinds: Sequence[str], fleets: Sequence[int], *, record: bool) -> int:
    recorded = json.loads(CAPACITY.read_text()) if CAPACITY.exists() else {}
    wrong = 0
    for kind in kinds:
        async with fleet(kind, _FIRST_FLEET, _FIRST_DELAY) as first:
            known = await constants(first)
            recorded[kind] = {each: _figures(cost) for each, cost in known.operations.items()}
            if record:
                recorded["report"] = {"line_us": line_us(PROVIDERS), "stream_mib": stream_mib()}
                CAPACITY.write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n")
            for operation, figures in recorded[kind].items():
                print(f"{kind:<10} {operation:<11} {figures}", flush=True)
            print(f"{kind:<10} idle        {known.idle * 1000:.1f} ms in a second", flush=True)
            for replicas, delay in product(fleets, DELAYS):
                async with fleet(kind, replicas, delay) as several:
                    found = await together(first, several)
                print(f"{kind:<10} {replicas} replicas, {delay * 1000:.0f} ms: ", end="")
                wrong += not _compare(known, found, replicas)
    return min(wrong, 1)


def _compare(known: Constants, found: Together, replicas: int) -> bool:
    """Whether the model is right. Prints how right."""
    others = replicas - _FIRST_FLEET
    cpu = found.cost.cpu / (found.first_cpu + known.idle * found.seconds * others)
    requests = found.cost.requests.total() / known.requests(_SESSIONS)
    kept = all(abs(ratio - 1) <= WRONG for ratio in (cpu, requests))
    print(
        f"CPU {cpu:.2f} and requests to S3 {requests:.2f} of the model; "
        f"machine {found.busy:.0%} busy",
        "" if kept else "NOT KEPT",
        "(too busy, by other programs too)" if found.busy > BUSY else "",
        flush=True,
    )
    return kept


def _figures(cost: Cost) -> dict[str, float]:
    """In whole calls: in between, a replica makes a few that belong to no operation."""
    requests = {name: round(count / _MEASURED) for name, count in sorted(cost.requests.items())}
    found = {name: count for name, count in requests.items() if count}
    return {"cpu_ms": round(cost.cpu * 1000, 1), **found}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.replicas")
    parser.add_argument("--only", choices=PROVIDERS)
    parser.add_argument("--record", action="store_true", help="what each operation costs")
    parser.add_argument("--replicas", type=int, nargs="*", default=(2, 4))
    chosen = parser.parse_args()
    kinds = PROVIDERS if chosen.only is None else (chosen.only,)
    return asyncio.run(run(kinds, chosen.replicas, record=chosen.record))


if __name__ == "__main__":
    sys.exit(main())
