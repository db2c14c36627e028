import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.immediate.clock import Clock
from providers.batches.immediate.heartbeats import Heartbeats
from providers.batches.immediate.job import Segment
from providers.batches.immediate.leases import LeaseLost, Progress
from providers.batches.immediate.stored import StoredJob, find_job
from providers.body import Body
from providers.state import StateError, write
from tests.memory_state import MemoryState
from tests.test_providers.streams import collect, cut, stream
from tests.test_providers.test_batches.test_immediate.stage import KEY, WORK, stored_job

HEAD = b'{"error":'
OUTPUT = b'{"custom_id":"r0","response":{"a":1}}\n'
ERROR = HEAD + b'{"code":400},"custom_id":"r1"}\n'


@pytest.fixture
def job(state: MemoryState) -> StoredJob:
    return stored_job(state)


async def test_an_attempt_belongs_to_who_begins_it(job: StoredJob) -> None:
    for number in (1, 2, 3):
        attempt = range(16), number
        assert await job.begin(*attempt, "a")
        assert not await job.begin(*attempt, "b")
        # The answer to the first create was lost, and it is sent again.
        assert await job.begin(*attempt, "a")
        await job.forget(*attempt)
        assert await job.begin(*attempt, "b")


async def test_the_last_attempt_at_each_record_is_known(job: StoredJob) -> None:
    for records, number in ((range(2), 1), (range(2), 2), (range(9, 10), 1)):
        await job.begin(records, number, "a")
    assert await job.begun() == {0: 2, 1: 2, 9: 1}


async def test_started_calls_of_an_earlier_version_are_recognised(
    state: MemoryState, job: StoredJob
) -> None:
    for name in ("0000000000-1", "0000000012-1", "0000000012-2", "0000000003-1"):
        await write(state, f"{WORK}/calls/{name}", b"a")
    assert await job.begun() == {0: 1, 3: 1, 12: 2}


async def test_an_earlier_version_stops_at_objects_of_segments(
    state: MemoryState, job: StoredJob
) -> None:
    """It reads both before its first call, as below. Otherwise it might make a third call."""
    await job.begin(range(16), 1, "a")
    await job.record_results(0, [OUTPUT], 0)
    [mark, result] = [name.rpartition("/")[2] for name in state.objects]
    with pytest.raises(ValueError, match="too many values"):
        _index, _attempt = map(int, mark.split("-"))
    with pytest.raises(ValueError, match="invalid literal"):
        int(result)


async def test_results_stay_and_are_counted_from_their_names(
    state: MemoryState, job: StoredJob
) -> None:
    assert await job.record_results(0, [OUTPUT, ERROR], 1)
    assert not await job.record_results(0, [ERROR, OUTPUT], 1)
    assert await job.record_results(5, [OUTPUT], 0)
    # By an earlier version, without the number of errors.
    await write(state, f"{WORK}/results/0000000003", ERROR)
    assert await job.recorded() == {0, 1, 3, 5}
    assert await job.progress() == Progress(4, 1)
    assert OUTPUT + ERROR in state.objects.values()


async def test_an_output_has_all_results_in_order_with_their_count(
    state: MemoryState, job: StoredJob
) -> None:
    await job.record_results(9, [ERROR, OUTPUT, OUTPUT], 1)
    await job.record_results(100, [ERROR], 1)
    # By an earlier version.
    await write(state, f"{WORK}/results/0000000003", ERROR)
    await write(state, f"{WORK}/results/0000000012", OUTPUT)
    assert await job.recorded() == {3, 9, 10, 11, 12, 100}
    assert await job.write_output(4, HEAD) == Progress(6, 3)
    body = await job.output(4)
    assert body is not None
    found = await collect(aiter(body.chunks))
    assert found == ERROR + ERROR + OUTPUT + OUTPUT + OUTPUT + ERROR
    assert await job.has_output(4)
    await job.delete_output(4)
    assert await job.output(4) is None
    assert not await job.has_output(4)


@given(st.sets(st.integers(0, 12)), st.sets(st.integers(0, 12)), st.integers(1, 40))
async def test_a_record_of_two_owners_is_in_the_output_once(
    mine: set[int], others: set[int], chunk: int
) -> None:
    """One of them was suspended and did not notice the end of its lease."""
    state = InChunks(chunk)
    job = stored_job(state)
    lines = {n: (ERROR if n % 3 == 0 else OUTPUT) for n in range(13)}
    for owner in (mine, others):
        for first in (n for n in owner if n - 1 not in owner):
            end = min(n for n in range(first, 14) if n not in owner)
            await job.record_results(first, [lines[n] for n in range(first, end)], 0)
    expected = [lines[n] for n in sorted(mine | others)]
    assert await job.write_output(1, HEAD) == Progress(len(expected), expected.count(ERROR))
    body = await job.output(1)
    assert body is not None
    assert await collect(aiter(body.chunks)) == b"".join(expected)


class InChunks(MemoryState):
    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    async def get(self, name: str) -> Body | None:
        body = await super().get(name)
        if body is None:
            return None
        data = await collect(aiter(body.chunks))
        return Body(stream(cut(data, list(range(0, len(data), self._size)))), len(data))


class Clearing(MemoryState):
    """Another owner clears the results between their being listed and read."""

    async def get(self, name: str) -> Body | None:
        await self.delete(name)
        return await super().get(name)


async def test_an_output_of_results_that_vanish_is_none() -> None:
    state = Clearing()
    job = stored_job(state)
    await job.record_results(0, [OUTPUT], 0)
    with pytest.raises(LeaseLost):
        await job.write_output(1, HEAD)
    assert state.objects == {}


async def test_segments_are_identified_by_their_first_record(job: StoredJob) -> None:
    await job.write_segment(10, b"second")
    await job.write_segment(0, b"first")
    segments = [Segment(range(10), 5), Segment(range(10, 40), 6)]
    assert await job.segments() == segments
    assert await job.read_segment(segments[1]) == b"second"
    with pytest.raises(LeaseLost):
        await job.read_segment(Segment(range(20, 21), 1))


async def test_a_job_without_input_has_no_segments(job: StoredJob) -> None:
    assert await job.segments() == []


async def test_objects_that_an_output_replaces_are_deleted(
    state: MemoryState, job: StoredJob
) -> None:
    await job.write_segment(0, b"x")
    await job.begin(range(1), 1, "a")
    await job.record_results(0, [OUTPUT], 0)
    await job.write_output(1, HEAD)
    await job.cancel()
    assert await job.cancelled()
    await job.clear()
    kept = [f"{WORK}/calls/0000000000-1-1", f"{WORK}/cancelled", f"{WORK}/output/0000000001"]
    assert list(state.objects) == kept
    await job.delete()
    assert state.objects == {}
    assert not await job.cancelled()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"model":"a secret"}'])
async def test_damaged_objects_are_the_stores_fault(
    state: MemoryState, job: StoredJob, content: bytes
) -> None:
    for name in (
        f"immediate/acme/{KEY}",
        f"immediate-ended/acme/{KEY}/c",
        f"{WORK}/claims/99999998",
    ):
        await write(state, name, content)
    clock = Clock()
    lease = job.lease(Heartbeats("acme", state, clock), clock)
    for reading in (find_job("acme", state, KEY), job.ending(), lease.newest()):
        with pytest.raises(StateError) as caught:
            await reading
        assert "secret" not in caught.value.message
