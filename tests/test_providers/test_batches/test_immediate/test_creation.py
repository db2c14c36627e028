"""A job is created once and completely, or not at all."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from providers.batches.immediate.heartbeats import LOOK_SECONDS
from providers.body import Body, in_memory
from providers.errors import FerryError
from providers.memory import MemoryBudget
from providers.resources import BatchState, Counts
from providers.status import Status
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock
from tests.test_providers.test_batches.test_immediate.stage import (
    KEY,
    Replica,
    input_line,
    new_job,
)


async def test_a_create_is_repeatable(state: MemoryState, clock: FakeClock) -> None:
    replica = Replica(state, clock)
    await replica.create(2)
    await replica.background.idle()
    before = state.objects
    again = await replica.create(2)
    assert (again.state, state.objects) == (BatchState.SUCCEEDED, before)
    assert sorted(replica.call.made) == [0, 1]


async def test_one_of_two_concurrent_creates_leaves_nothing(
    state: MemoryState, clock: FakeClock
) -> None:
    first, second = Replica(state, clock), Replica(state, clock)
    seen: list[str] = []

    async def body() -> AsyncIterator[bytes]:
        """The other creation happens in the middle of this one."""
        yield input_line(0) + b"\n"
        seen.append((await second.create(2)).id)
        yield input_line(1) + b"\n"

    slow = replace(new_job(2), input=Body(body(), None))
    assert (await first.submit(slow)).id == seen[0]
    await second.background.idle()
    await clock.pass_time(1.2 * LOOK_SECONDS)
    await first.background.idle()
    assert sorted(first.call.made + second.call.made) == [0, 1]
    assert len({name.split("/")[4] for name in state.objects if "-work/" in name}) == 1
    assert len([name for name in state.objects if name.startswith("batches/")]) == 1


@pytest.mark.parametrize(
    "data", [b"", input_line(0), b"\n".join(map(input_line, range(3)))], ids=["none", "1", "3"]
)
async def test_a_failed_creation_leaves_nothing(
    state: MemoryState, clock: FakeClock, data: bytes
) -> None:
    wrong = replace(new_job(2), input=in_memory(data))
    replica = Replica(state, clock)
    with pytest.raises(ValueError, match="records for a table of 2"):
        await replica.submit(wrong)
    assert state.objects == {}
    assert replica.background.tasks == {}


async def test_a_line_beyond_the_limit_is_refused(state: MemoryState, clock: FakeClock) -> None:
    replica = Replica(state, clock)
    with pytest.raises(FerryError, match="line 1: longer than") as caught:
        await replica.submit(new_job(2, padding=2 << 20))
    assert caught.value.status == Status.INVALID_ARGUMENT
    assert state.objects == {}


async def test_a_line_larger_than_the_budget_is_refused(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = Replica(state, clock, memory=MemoryBudget(2 << 20))
    with pytest.raises(FerryError) as caught:
        await replica.submit(new_job(1, padding=1_000_000))
    assert caught.value.status == Status.INVALID_ARGUMENT
    assert state.objects == {}


async def test_an_id_is_free_again_after_an_interrupted_delete(
    state: MemoryState, clock: FakeClock
) -> None:
    replica = Replica(state, clock)
    await replica.create(1)
    await replica.background.idle()
    await state.delete(f"immediate/acme/{KEY}")
    assert (await replica.create(2)).state is BatchState.PENDING
    await replica.background.idle()
    assert (await replica.get()).counts == Counts(2, 2, 0)
