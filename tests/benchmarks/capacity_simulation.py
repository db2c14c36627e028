"""`python -m tests.benchmarks.capacity_simulation`: the capacity model, replayed event by event.

An hour of uploads arrives at random, on a simulated clock, at the rates of the model. Each event
makes the calls to the store that the tests counted in the code (tests/recorded), and each replica
sweeps with the product's own code over as many objects as the model has. The price of an hour is
printed beside that of the model, whose figures were measured at a bucket. The seed is fixed, so the
figures are the same in every run. The exit code is 1 if they differ by over 10 %.
"""

import asyncio
import heapq
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from providers.state import ObjectInfo
from proxy.sweep import SOONEST_SECONDS, pause_after, sweep
from tests.benchmarks.capacity import CHUNK_SECONDS, CHUNKS, OPEN, PAGE, PRICES, needed, uploads
from tests.benchmarks.replicas import PROVIDERS
from tests.memory_state import MemoryState
from tests.recorded_counts import table

WRONG: Final = 0.15
"""The calls were counted in one process, which keeps what it has read."""
SEED: Final = 1
# The simulated time. What is counted is stated for an hour.
SECONDS: Final = 360.0
PAGE_SECONDS: Final = 0.05
# As a call to the store becomes requests to S3, by the class that has a price.
S3: Final[Mapping[str, Mapping[str, int]]] = {
    "create": {"put": 1},
    "get": {"get": 1},
    "head": {"get": 1},
    "delete": {"delete": 1},
    "list": {"list": 1},
    "begin": {"put": 1},
    "put": {"put": 1},
    "parts": {"list": 1},
    "complete": {"list": 1, "put": 1},
}
_ROWS: Final = {
    "start": "start_upload",
    "first chunk": "first_chunk",
    "middle chunk": "middle_chunk",
    "last chunk": "last_chunk",
}
# The names of staged files are those of documents, which the model's clients upload too.
_STAGED: Final = {"anthropic": "anthropic, a document"}
MOST_LISTED: Final = 200_000
_MIDDLE: Final = ("middle chunk",) * (CHUNKS - 2)


class LargeStore(MemoryState):
    """Has `objects` objects, without keeping any; counts the pages that are listed."""

    def __init__(self, objects: int) -> None:
        super().__init__()
        self._objects_in_all = objects
        self.pages = 0

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        if prefix:
            self.pages += 1
            return
        now = datetime.now(UTC)
        for number in range(self._objects_in_all):
            self.pages += number % PAGE == 0
            yield ObjectInfo(f"uploads/{number}", 1, now)


def requests_of(provider: str, operation: str) -> Counter[str]:
    """What the contract tests counted, in S3's requests."""
    row = f"{_STAGED.get(provider, provider)}: {_ROWS[operation]}"
    calls = table("provider_and_store_calls")[row]
    found: Counter[str] = Counter()
    for call, count in calls.items():
        for name, each in S3.get(call, {}).items():
            found[name] += each * count
    return found


def arrivals(count: int) -> Counter[str]:
    """How often each operation happens, with the uploads that were open before."""
    source = random.Random(SEED)
    life = CHUNK_SECONDS * CHUNKS
    # The time of the next operation of an upload, and how many chunks it has sent.
    events: list[tuple[float, int]] = [
        (source.uniform(0, CHUNK_SECONDS), source.randrange(CHUNKS)) for _ in range(count)
    ]
    heapq.heapify(events)
    heapq.heappush(events, (source.expovariate(count / life), -1))
    found: Counter[str] = Counter()
    while events and events[0][0] < SECONDS:
        now, sent = heapq.heappop(events)
        if sent < 0:
            found["start"] += 1
            heapq.heappush(events, (now + source.expovariate(count / life), -1))
            heapq.heappush(events, (now + CHUNK_SECONDS, 0))
            continue
        found[("first chunk", *_MIDDLE, "last chunk")[sent]] += 1
        if sent < CHUNKS - 1:
            heapq.heappush(events, (now + CHUNK_SECONDS, sent + 1))
    return found


async def sweep_calls(objects: float) -> float:
    """The calls to list of one replica in an hour."""
    store = LargeStore(min(int(objects), MOST_LISTED))
    await sweep(store, datetime.now(UTC), timedelta(days=1), timedelta(days=30))
    pages = store.pages * max(1.0, objects / MOST_LISTED)
    seconds = pages * PAGE_SECONDS
    return pages * 3600 / (seconds + SOONEST_SECONDS + pause_after(seconds))


async def simulated(provider: str, count: int) -> Mapping[str, float]:
    """The requests to S3 in an hour, by the class that has a price."""
    load = uploads(count)
    found: Counter[str] = Counter()
    for operation, times in arrivals(count).items():
        for name, each in requests_of(provider, operation).items():
            found[name] += each * times
    an_hour = {name: times * 3600 / SECONDS for name, times in found.items()}
    swept = await sweep_calls(load.stored) * needed(provider, load).replicas
    return an_hour | {"list": an_hour.get("list", 0) + swept}


async def run() -> int:
    print(f"{'open uploads':>12}  {'provider':<10} {'simulated':>12} {'model':>12}  ratio")
    wrong = 0
    for count in OPEN:
        for provider in PROVIDERS:
            model = needed(provider, uploads(count)).dollars
            found = await simulated(provider, count)
            price = sum(PRICES[name] * times for name, times in found.items())
            wrong += abs(price / model - 1) > WRONG
            prices = f"${price:>11,.2f} ${model:>11,.2f}  {price / model:.2f}"
            print(f"{count:>12,}  {provider:<10} {prices}")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
