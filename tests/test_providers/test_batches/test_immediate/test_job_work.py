import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.immediate.job_work import JobWork, Segment, first_calls, repeat
from providers.batches.immediate.leases import LeaseLost, Progress
from providers.batches.immediate.runner import consecutive
from providers.body import Body
from providers.state import write
from tests.memory_state import MemoryState
from tests.test_providers.streams import collect, cut, stream

HEAD = b'{"error":'
OUTPUT = b'{"custom_id":"r0","response":{"a":1}}\n'
ERROR = HEAD + b'{"code":400},"custom_id":"r1"}\n'


@pytest.fixture
def work(state: MemoryState) -> JobWork:
    return JobWork("work", state)


async def test_a_call_belongs_to_who_begins_it(work: JobWork) -> None:
    for call in (first_calls(range(16)), repeat(0)):
        assert not await work.has_begun(call)
        assert await work.begin(call, "a")
        assert not await work.begin(call, "b")
        # The answer to the first create was lost, and it is sent again.
        assert await work.begin(call, "a")
        assert await work.has_begun(call)
        await work.forget(call)
        assert await work.begin(call, "b")


async def test_of_each_record_the_last_call_is_known(work: JobWork) -> None:
    for call in (first_calls(range(2)), repeat(1), first_calls(range(9, 10)), repeat(12)):
        await work.begin(call, "a")
    assert await work.calls() == {0: 1, 1: 2, 9: 1, 12: 2}


async def test_calls_that_an_earlier_version_marked_one_by_one_are_known(
    state: MemoryState, work: JobWork
) -> None:
    for name in ("0000000000-1", "0000000012-1", "0000000012-2", "0000000003-1"):
        await write(state, f"work/calls/{name}", b"a")
    assert await work.calls() == {0: 1, 3: 1, 12: 2}


async def test_an_earlier_version_stops_at_the_marks_and_results_of_runs(
    state: MemoryState, work: JobWork
) -> None:
    """It reads both before its first call, as below. Otherwise it might make a third call."""
    await work.begin(first_calls(range(16)), "a")
    await work.record(0, [OUTPUT])
    [mark, result] = [name.rpartition("/")[2] for name in state.objects]
    with pytest.raises(ValueError, match="too many values"):
        _index, _attempt = map(int, mark.split("-"))
    with pytest.raises(ValueError, match="invalid literal"):
        int(result)


async def test_the_first_answer_stays(work: JobWork) -> None:
    assert await work.record(0, [OUTPUT])
    assert not await work.record(0, [ERROR])
    assert await work.recorded() == {0}


async def test_an_output_is_all_results_in_order_and_counted(
    state: MemoryState, work: JobWork
) -> None:
    await work.record(9, [ERROR, OUTPUT, OUTPUT])
    await work.record(100, [ERROR])
    # By an earlier version.
    await write(state, "work/results/0000000003", ERROR)
    await write(state, "work/results/0000000012", OUTPUT)
    assert await work.recorded() == {3, 9, 10, 11, 12, 100}
    assert await work.write_output(4, HEAD) == Progress(6, 3)
    body = await work.output(4)
    assert body is not None
    found = await collect(aiter(body.chunks))
    assert found == ERROR + ERROR + OUTPUT + OUTPUT + OUTPUT + ERROR
    assert await work.has_output(4)
    await work.delete_output(4)
    assert await work.output(4) is None
    assert not await work.has_output(4)


@given(st.sets(st.integers(0, 12)), st.sets(st.integers(0, 12)), st.integers(1, 40))
async def test_what_two_owners_recorded_is_in_the_output_once(
    mine: set[int], others: set[int], chunk: int
) -> None:
    """One of them was suspended and did not notice the end of its lease."""
    state = InChunks(chunk)
    work = JobWork("work", state)
    lines = {n: (ERROR if n % 3 == 0 else OUTPUT) for n in range(13)}
    for owner in (mine, others):
        for run in consecutive(owner):
            await work.record(run[0], [lines[n] for n in run])
    expected = [lines[n] for n in sorted(mine | others)]
    assert await work.write_output(1, HEAD) == Progress(len(expected), expected.count(ERROR))
    body = await work.output(1)
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
    work = JobWork("work", state)
    await work.record(0, [OUTPUT])
    with pytest.raises(LeaseLost):
        await work.write_output(1, HEAD)
    assert state.objects == {}


async def test_segments_are_known_by_their_first_record(work: JobWork) -> None:
    await work.write_segment(10, b"second")
    await work.write_segment(0, b"first")
    segments = [Segment(range(10), 5), Segment(range(10, 12), 6)]
    assert await work.segments(12) == segments
    assert await work.read_segment(segments[1]) == b"second"
    assert await work.read_segment(Segment(range(20, 21), 1)) is None


async def test_a_job_without_input_has_no_segments(work: JobWork) -> None:
    assert await work.segments(12) == []


async def test_what_an_output_replaces_is_cleared(state: MemoryState, work: JobWork) -> None:
    await work.write_segment(0, b"x")
    await work.begin(first_calls(range(1)), "a")
    await work.record(0, [OUTPUT])
    await work.write_output(1, HEAD)
    await work.cancel()
    assert await work.cancelled()
    await work.clear()
    kept = ["work/calls/0000000000-1-1", "work/cancelled", "work/output/0000000001"]
    assert list(state.objects) == kept
    await work.delete()
    assert state.objects == {}
    assert not await work.cancelled()
