"""How much is measured, of which rows, and on which core."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.benchmarks.ratios import REPETITIONS
from tests.benchmarks.scale import MIB


@dataclass(frozen=True)
class Size:
    """What each reading moves: `bulk`, `tls` and `chunks` in bytes, `calls` of small answers,
    `lines` of a batch, and `long_lines` of the batches in which callbacks are watched.

    `slow_uploads` are at once, and so are `connections`, fast ones with a chunk each. A stream of a
    model's answer has `events`; `streams` are open at once, for `stream_seconds`.
    """

    bulk: int
    tls: int
    chunks: int
    calls: int
    lines: int
    long_lines: int
    slow_uploads: int
    connections: int
    events: int
    streams: int
    stream_seconds: int
    starts: int
    turns: int


FULL: Final = Size(
    bulk=1024 * MIB,
    tls=512 * MIB,
    chunks=512 * MIB,
    calls=500,
    lines=5_000,
    long_lines=15_000,
    slow_uploads=64,
    connections=512,
    events=5_000,
    streams=500,
    stream_seconds=5,
    starts=7,
    turns=REPETITIONS,
)
QUICK: Final = Size(
    bulk=128 * MIB,
    tls=32 * MIB,
    chunks=32 * MIB,
    calls=64,
    lines=200,
    long_lines=500,
    slow_uploads=2,
    connections=16,
    events=200,
    streams=20,
    stream_seconds=1,
    starts=1,
    turns=1,
)


@dataclass(frozen=True)
class Plan:
    """Rows whose name contains `only`. The first of `cores` is the measured process's."""

    size: Size
    only: str
    cores: Sequence[int]

    @property
    def core(self) -> int:
        return self.cores[0]

    @property
    def loading(self) -> int:
        """The core of the load and of the upstream; the same if there is no other."""
        return self.cores[-1]

    def wants(self, name: str) -> bool:
        return self.only in name
