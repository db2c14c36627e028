"""The sizes of the workloads."""

from dataclasses import dataclass
from typing import Final

MIB: Final = 1 << 20
MB: Final = 1_000_000


@dataclass(frozen=True)
class Scale:
    """Sizes and limits in bytes; `read_rate` in bytes a second of one connection.

    `staged_requests` are those of a batch whose input the proxy keeps.
    """

    uploads: int
    upload_size: int
    requests: int
    staged_requests: int
    input_size: int
    results_size: int
    peak_limit: int
    read_rate: int = 8 * MB


FULL: Final = Scale(
    uploads=64,
    upload_size=64 * MIB,
    requests=48_000,  # OpenAI's limit: what is kept for each request counts too
    staged_requests=100_000,  # Anthropic's limit
    input_size=200 * MB,
    results_size=500 * MB,
    peak_limit=150 * MIB,
)

# Small, but a chunk of each upload, a whole input or its results in memory exceed the limit.
QUICK: Final = Scale(
    uploads=16,
    upload_size=16 * MIB,
    requests=4_000,
    staged_requests=8_000,
    input_size=40 * MB,
    results_size=60 * MB,
    peak_limit=100 * MIB,
    read_rate=24 * MB,
)
