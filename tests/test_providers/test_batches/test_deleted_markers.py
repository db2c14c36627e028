from providers.batches.deleted_markers import DeletedMarkers
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
