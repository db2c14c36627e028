"""Two replicas, in any order of events."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.resources import Batch, BatchState
from tests.memory_state import MemoryState
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock
from tests.test_providers.test_batches.test_immediate.stage import (
    CALLER,
    JOB_ID,
    TAKEN_OVER,
    Replica,
    objects,
    recorded,
)

STEPS = st.lists(
    st.sampled_from(["look", "stop", "drain", "die", "open", "shut", "wait", "long", "cancel"]),
    max_size=14,
)


@given(st.integers(1, 40), st.lists(st.tuples(st.integers(0, 1), STEPS), max_size=4))
def test_no_record_is_called_more_than_twice_or_after_its_result(
    count: int, story: list[tuple[int, list[str]]]
) -> None:
    asyncio.run(_play(count, story))


async def _play(count: int, story: list[tuple[int, list[str]]]) -> None:
    state, clock = MemoryState(), FakeClock()
    everyone = [Replica(state, clock), Replica(state, clock)]
    present = list(everyone)
    results: dict[str, bytes] = {}
    kept: set[int] = set()
    await present[0].create(count)
    for which, step in [(which, step) for which, steps in story for step in steps]:
        before = _made(everyone)
        await _take_step(step, which, present, clock)
        everyone += [replica for replica in present if replica not in everyone]
        after = _made(everyone)
        for number in kept:
            assert after.count(number) == before.count(number)
        kept = recorded(state) or kept
        results = _only_grown(results, objects(state, "results"))
    for replica in present:
        replica.call.open.set()
        await replica.get()
    await clock.pass_time(3 * TAKEN_OVER)
    made = _made(everyone)
    assert max(map(made.count, range(count))) <= 2
    assert all(not replica.background.failures or replica.state.away for replica in everyone)
    await _check_end(await present[0].get(), present[0], count)
    for replica in everyone:
        await replica.background.stop()


def _made(replicas: list[Replica]) -> list[int]:
    return [number for replica in replicas for number in replica.call.made]


async def _take_step(step: str, which: int, present: list[Replica], clock: FakeClock) -> None:
    replica = present[which]
    match step:
        case "look":
            await replica.get()
        case "drain":
            draining = asyncio.create_task(replica.background.drain())
            await clock.pass_time(3)
            draining.cancel()
            await replica.background.stop()
            present[which] = Replica(replica.shared, clock)
        case "stop" | "die":
            await (replica.die() if step == "die" else replica.background.stop())
            present[which] = Replica(replica.shared, clock)
        case "open":
            replica.call.open.set()
        case "shut":
            replica.call.open.clear()
        case "wait" | "long":
            await clock.pass_time(3 if step == "wait" else TAKEN_OVER)
        case "cancel":
            try:
                await replica.cancel(CALLER, JOB_ID)
            except FerryError:
                assert (await replica.get()).state.terminal


async def _check_end(batch: Batch, replica: Replica, count: int) -> None:
    lines = await replica.lines()
    assert batch.counts is not None
    assert len(lines) == count - batch.counts.pending
    if batch.state is BatchState.SUCCEEDED:
        assert [line["custom_id"] for line in lines] == [f"r{n:010d}" for n in range(count)]
    else:
        assert batch.state is BatchState.CANCELLED


def _only_grown(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, bytes]:
    """Results do not change until all are moved into the output."""
    assert not after or before.items() <= after.items()
    return after
