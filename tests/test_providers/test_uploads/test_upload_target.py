from providers.uploads.upload_target import (
    create_session_key,
    delete_session_key,
    read_session_key,
    session_object,
)
from tests.memory_state import MemoryState


async def test_a_key_is_random_and_is_deleted_for_good() -> None:
    state = MemoryState()
    one, other = await create_session_key(state, "a"), await create_session_key(state, "b")
    assert one != other
    assert len(one) == 32
    assert await read_session_key(state, "a") == one
    await delete_session_key(state, "a")
    assert await read_session_key(state, "a") is None
    assert await read_session_key(state, "b") == other


async def test_all_objects_of_a_session_are_below_its_name() -> None:
    state = MemoryState()
    await create_session_key(state, "a")
    assert list(state.objects) == [session_object("a", "key")] == ["uploads/a/key"]
