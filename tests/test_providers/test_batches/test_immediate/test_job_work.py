import pytest

from providers.batches.immediate.job_work import JobWork, Segment
from providers.batches.immediate.leases import LeaseLost, Progress
from providers.body import Body
from tests.memory_state import MemoryState
from tests.test_providers.streams import collect

HEAD = b'{"error":'
OUTPUT = b'{"custom_id":"r0","response":{"a":1}}\n'
ERROR = HEAD + b'{"code":400},"custom_id":"r1"}\n'


@pytest.fixture
def work(state: MemoryState) -> JobWork:
    return JobWork("work", state)


async def test_a_call_belongs_to_who_begins_it(work: JobWork) -> None:
    assert await work.begin_call(0, 1, "a")
    assert not await work.begin_call(0, 1, "b")
    # The answer to the first create was lost, and it is sent again.
    assert await work.begin_call(0, 1, "a")
    await work.forget_call(0, 1)
    assert await work.begin_call(0, 1, "b")


async def test_of_each_record_the_last_call_is_known(work: JobWork) -> None:
    for index, attempt in ((0, 1), (12, 1), (12, 2), (3, 1)):
        await work.begin_call(index, attempt, "a")
    assert await work.calls() == {0: 1, 3: 1, 12: 2}


async def test_the_first_answer_stays(work: JobWork) -> None:
    assert await work.record(0, OUTPUT)
    assert not await work.record(0, ERROR)
    assert await work.recorded() == {0}


async def test_an_output_is_all_results_in_order_and_counted(work: JobWork) -> None:
    for index, line in ((10, OUTPUT), (9, ERROR), (100, ERROR)):
        await work.record(index, line)
    assert await work.write_output(4, HEAD) == Progress(3, 2)
    body = await work.output(4)
    assert body is not None
    assert await collect(aiter(body.chunks)) == ERROR + OUTPUT + ERROR
    assert await work.has_output(4)
    await work.delete_output(4)
    assert await work.output(4) is None
    assert not await work.has_output(4)


class Clearing(MemoryState):
    """Another owner clears the results between their being listed and read."""

    async def get(self, name: str) -> Body | None:
        await self.delete(name)
        return await super().get(name)


async def test_an_output_of_results_that_vanish_is_none() -> None:
    state = Clearing()
    work = JobWork("work", state)
    await work.record(0, OUTPUT)
    with pytest.raises(LeaseLost):
        await work.write_output(1, HEAD)
    assert state.objects == {}


async def test_segments_are_known_by_their_first_record(work: JobWork) -> None:
    await work.write_segment(10, b"second")
    await work.write_segment(0, b"first")
    assert await work.segments() == [Segment(0, 5), Segment(10, 6)]
    assert await work.read_segment(Segment(10, 6)) == b"second"
    assert await work.read_segment(Segment(20, 1)) is None


async def test_what_an_output_replaces_is_cleared(state: MemoryState, work: JobWork) -> None:
    await work.write_segment(0, b"x")
    await work.begin_call(0, 1, "a")
    await work.record(0, OUTPUT)
    await work.write_output(1, HEAD)
    await work.cancel()
    assert await work.cancelled()
    await work.clear()
    kept = ["work/calls/0000000000-1", "work/cancelled", "work/output/0000000001"]
    assert list(state.objects) == kept
    await work.delete()
    assert state.objects == {}
    assert not await work.cancelled()
