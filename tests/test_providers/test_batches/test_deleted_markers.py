import pytest

from providers.batches.deleted_markers import DeletedMarkers, batch_marker
from providers.errors import NotFound
from providers.json_api.client import Answer
from providers.resources import BatchState
from tests.broken_state import BrokenState
from tests.memory_state import MemoryState


async def test_a_marker_is_valid_only_at_its_own_upstream() -> None:
    state = MemoryState()
    ours, theirs = DeletedMarkers("ours", state), DeletedMarkers("theirs", state)
    await ours.mark_deleted("ra")
    await ours.mark_deleted("ra")
    assert await ours.is_deleted("ra")
    assert not await ours.is_deleted("r")
    assert not await theirs.is_deleted("ra")
    assert await ours.deleted_of(["ra", "rb"]) == {"ra"}
    assert await ours.deleted_of([]) == set()


async def test_a_batch_that_runs_needs_no_state_store() -> None:
    markers = DeletedMarkers("ours", BrokenState())
    for state in (BatchState.PENDING, BatchState.RUNNING):
        await markers.check_batch("b1", state)


async def test_a_deleted_batch_is_neither_found_nor_listed() -> None:
    markers = DeletedMarkers("ours", MemoryState())
    await markers.mark_deleted(batch_marker("b2"))
    await markers.check_batch("b1", BatchState.SUCCEEDED)
    for state in (BatchState.SUCCEEDED, BatchState.CANCELLING):  # a creation undoes a cancelled one
        with pytest.raises(NotFound, match="batches/b2 was deleted"):
            await markers.check_batch("b2", state)
    batches = [Answer(id=f"b{number}") for number in (1, 2, 3)]
    assert [each.id for each in await markers.not_deleted(batches)] == ["b1", "b3"]


async def test_the_marker_of_a_long_id() -> None:
    markers, (short, long) = DeletedMarkers("ours", MemoryState()), ("a" * 511, "a" * 512)
    await markers.mark_deleted(batch_marker(long))
    assert await markers.is_deleted(batch_marker(long))
    assert not await markers.is_deleted(batch_marker(short))
