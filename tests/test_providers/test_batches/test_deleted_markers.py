from providers.batches.deleted_markers import Tombstones
from tests.memory_state import MemoryState


async def test_what_was_buried_stays_so_at_its_own_upstream() -> None:
    state = MemoryState()
    ours, theirs = Tombstones("ours", state), Tombstones("theirs", state)
    await ours.bury("ra")
    await ours.bury("ra")
    assert await ours.buried("ra")
    assert not await ours.buried("r")
    assert not await theirs.buried("ra")
    assert await ours.among(["ra", "rb"]) == {"ra"}
    assert await ours.among([]) == set()
