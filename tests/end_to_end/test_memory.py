"""The memory benchmarks with small files (`make bench-memory` has large ones)."""

from pathlib import Path

import pytest

from tests.benchmarks.scale import QUICK
from tests.benchmarks.workloads import WORKLOADS, Workload, measure

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc"),
]


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
async def test_the_peak_stays_below_the_size_of_the_streams(workload: Workload) -> None:
    measured = await measure(workload, QUICK)
    assert measured.peak < QUICK.peak_limit
