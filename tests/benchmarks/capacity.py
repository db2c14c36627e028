"""`python -m tests.benchmarks.capacity`: prints the tables of deploy/docs/capacity.md.

What an operation, a line and a stream cost is in tests/recorded/capacity.json, from `make replicas`
and the benchmark's report. The rest is arithmetic.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from tests.benchmarks.replicas import CAPACITY, CHUNK, PROVIDERS

# A client: it sends 1 Mbit/s, a file of 64 MiB in eight chunks.
CHUNK_SECONDS: Final = CHUNK / 131_072
CHUNKS: Final = 8
OPEN: Final = (1_000, 10_000, 100_000)
# A batch: a million lines an hour are a hundred of these. Its client looks at it every minute.
LINES: Final = 10_000
LINES_AN_HOUR: Final = 1_000_000
LOOKS: Final = 60
# A replica: one core, of which this share is used; there are at least two.
BUSY: Final = 0.6
FEWEST: Final = 2
REST_MIB: Final = 73
# The least calls to list that a sweep makes, and how long one takes.
PAGE: Final = 1_000
# Objects that an upload leaves until its URL has expired, after a day.
OBJECTS: Final = 2
KEPT_SECONDS: Final = 86_400
SWEEP_CALLS: Final = 7_200
# US dollars for each request to S3 Standard in us-east-1. Deleting is free.
PRICES: Final[Mapping[str, float]] = {"put": 5e-6, "list": 5e-6, "get": 4e-7, "delete": 0.0}


@dataclass(frozen=True)
class Load:
    """How often an hour each operation happens."""

    rates: Mapping[str, float]
    streams: int = 0
    lines: int = 0
    stored: float = 0.0


@dataclass(frozen=True)
class Needed:
    cores: float
    replicas: int
    memory_mib: float
    requests: Mapping[str, float]

    @property
    def dollars(self) -> float:
        return sum(PRICES[name] * count for name, count in self.requests.items())


def uploads(count: int) -> Load:
    """`count` uploads are open at any time."""
    started = count * 3600 / (CHUNK_SECONDS * CHUNKS)
    middle = started * (CHUNKS - 2)
    rates = {"start": started, "first chunk": started, "middle chunk": middle}
    rates["last chunk"] = started
    return Load(rates, streams=count, stored=started / 3600 * KEPT_SECONDS * OBJECTS)


def lines(count: int) -> Load:
    """`count` lines an hour are in batches that are created, looked at and downloaded."""
    batches = count / LINES
    return Load({"create": batches, "get": batches * LOOKS}, lines=count)


def needed(provider: str, load: Load) -> Needed:
    costs, report = recorded()[provider], recorded()["report"]
    cpu = sum(rate * costs[name]["cpu_ms"] / 1000 for name, rate in load.rates.items())
    cores = (cpu + load.lines * report["line_us"][provider] / 1e6) / 3600
    replicas = max(FEWEST, ceil(cores / BUSY))
    requests = {
        name: sum(rate * costs[each].get(name, 0) for each, rate in load.rates.items())
        for name in PRICES
    }
    requests["list"] += sweeps(replicas, load.stored)
    memory = REST_MIB + load.streams / replicas * report["stream_mib"]
    return Needed(cores, replicas, memory, requests)


def sweeps(replicas: int, objects: float) -> float:
    """The calls to list of all replicas in an hour."""
    return replicas * min(ceil(objects / PAGE) + 2, SWEEP_CALLS)


# --- what was measured ----------------------------------------------------------------------------


def recorded() -> Any:
    return json.loads(CAPACITY.read_text())


# --- the tables -----------------------------------------------------------------------------------


def tables() -> str:
    return "\n\n".join("\n".join(table) for table in (_costs(), _uploads(), _lines())) + "\n"


def _costs() -> Sequence[str]:
    return _table(
        ("provider", "operation", "CPU", "PUT and POST", "GET and HEAD", "LIST", "DELETE"),
        (
            (
                provider,
                operation,
                f"{costs['cpu_ms']:.1f} ms",
                *(f"{costs.get(name, 0):g}" for name in ("put", "get", "list", "delete")),
            )
            for provider in PROVIDERS
            for operation, costs in recorded()[provider].items()
        ),
    )


def _uploads() -> Sequence[str]:
    return _table(
        ("open uploads", "provider", *_HEADINGS),
        (
            (f"{count:,}", provider, *_row(needed(provider, uploads(count))))
            for count in OPEN
            for provider in PROVIDERS
        ),
    )


def _lines() -> Sequence[str]:
    return _table(
        ("lines an hour", "provider", *_HEADINGS),
        (
            (f"{LINES_AN_HOUR:,}", provider, *_row(needed(provider, lines(LINES_AN_HOUR))))
            for provider in PROVIDERS
        ),
    )


_HEADINGS: Final = (
    "cores in use",
    "replicas",
    "memory of each",
    "requests to S3 an hour: PUT, POST, LIST",
    "GET, HEAD",
    "price of an hour",
)


def _row(found: Needed) -> Sequence[str]:
    return (
        f"{found.cores:.2f}",
        f"{found.replicas}",
        f"{found.memory_mib:.0f} MiB",
        f"{found.requests['put'] + found.requests['list']:,.0f}",
        f"{found.requests['get']:,.0f}",
        f"${found.dollars:,.2f}",
    )


def _table(headings: Sequence[str], rows: Iterator[Sequence[str]]) -> Sequence[str]:
    lines = [headings, ["---"] * len(headings), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


if __name__ == "__main__":
    print(tables(), end="")
