import pytest

from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock


@pytest.fixture
def state() -> MemoryState:
    return MemoryState()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
