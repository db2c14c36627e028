import pytest

from providers.uploads.upload_target import (
    create_session_key,
    delete_session_key,
    new_session_id,
    provider_of_session_key,
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


@pytest.mark.parametrize("provider", ["openai", "a-server-2", "x" * 300])
async def test_the_name_of_a_key_names_its_provider(provider: str) -> None:
    state = MemoryState()
    session_id = new_session_id(provider)
    await create_session_key(state, session_id)
    [key] = state.objects
    assert provider_of_session_key(key) == provider
    assert provider_of_session_key(session_object(session_id, "end")) is None


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("uploads/0123456789abcdef0123456789abcdef/key", ""),  # of an earlier version
        ("staged/s1/key", None),
        ("uploads/s1/parts/00000008", None),
    ],
)
def test_what_names_no_provider(name: str, provider: str | None) -> None:
    assert provider_of_session_key(name) == provider
