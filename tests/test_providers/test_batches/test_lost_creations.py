from datetime import timedelta

import pytest

from providers.batches.lost_creations import LostBefore, LostCreations
from tests.memory_state import MemoryState


@pytest.fixture
def state() -> MemoryState:
    return MemoryState()


async def lose(state: MemoryState, tenant: str = "ann", fingerprint: str = "f") -> None:
    attempt = LostCreations("openai", state).attempt(tenant, fingerprint)
    await attempt.sending()
    await attempt.remember()


async def send(
    state: MemoryState, upstream: str = "openai", tenant: str = "ann", fingerprint: str = "f"
) -> None:
    await LostCreations(upstream, state).attempt(tenant, fingerprint).sending()


async def test_nothing_is_stored_of_a_creation_that_was_answered(state: MemoryState) -> None:
    await send(state)
    assert state.objects == {}


async def test_a_repeat_gets_the_key_of_the_lost_creation(state: MemoryState) -> None:
    await lose(state)
    with pytest.raises(LostBefore) as first:
        await send(state)
    with pytest.raises(LostBefore) as second:
        await send(state)
    assert first.value.key == second.value.key


@pytest.mark.parametrize(
    "other", [{"upstream": "acme"}, {"tenant": "bob"}, {"fingerprint": "g"}], ids=str
)
async def test_another_creation_is_not_a_repeat(state: MemoryState, other: dict[str, str]) -> None:
    await lose(state)
    await send(state, **other)


async def test_after_a_minute_it_is_not_a_repeat(state: MemoryState) -> None:
    await lose(state)
    state.age(timedelta(seconds=59))
    with pytest.raises(LostBefore):
        await send(state)
    state.age(timedelta(seconds=2))
    await send(state)


async def test_a_lost_creation_that_created_nothing_is_settled(state: MemoryState) -> None:
    lost = LostCreations("openai", state)
    attempt = lost.attempt("ann", "f")
    await attempt.remember()
    assert not await attempt.repeat.settled()
    await attempt.forget()
    assert await attempt.repeat.settled()
    await lost.wait_settled(attempt.repeat)
