"""What is sampled of the process is what the system says of it."""

import mmap
import os
import resource
from contextlib import ExitStack
from pathlib import Path

import pytest

from providers.memory import MemoryBudget
from proxy.metrics import Metrics
from proxy.quotas import Quotas, Usage
from proxy.sampling import Sampler

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")

MIB = 1 << 20


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1")


@pytest.fixture
def sampler(metrics: Metrics) -> Sampler:
    sampler = Sampler(metrics, MemoryBudget(), Usage(Quotas(1, 1, 1)))
    sampler.sample_process()
    return sampler


def shown(metrics: Metrics, name: str) -> float:
    value = metrics.registry.get_sample_value(name)
    assert value is not None
    return value


def test_open_descriptors_are_counted(metrics: Metrics, sampler: Sampler) -> None:
    before = shown(metrics, "ferry_open_descriptors")
    with ExitStack() as opened:
        for _ in range(7):
            opened.enter_context(Path(os.devnull).open("rb"))
        sampler.sample_process()
        assert shown(metrics, "ferry_open_descriptors") == before + 7


def test_the_limit_of_descriptors_is_that_of_the_process(
    metrics: Metrics, sampler: Sampler
) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert shown(metrics, "ferry_descriptor_limit") == soft


def test_resident_memory_grows_with_what_is_used(metrics: Metrics, sampler: Sampler) -> None:
    before = shown(metrics, "ferry_resident_memory_bytes")
    # Not from the heap, which may have that much free.
    with mmap.mmap(-1, 64 * MIB) as used:
        used.write(os.urandom(len(used)))
        sampler.sample_process()
    assert shown(metrics, "ferry_resident_memory_bytes") > before + 32 * MIB
