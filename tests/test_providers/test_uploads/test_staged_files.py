from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.body import in_memory
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.resources import File
from providers.state import ObjectInfo, State
from providers.status import Status
from providers.uploads.staged_files import StagedFiles, new_staged_id, staged_file_id
from tests.contract.counted_state import CountedState
from tests.memory_state import MemoryState
from tests.test_providers.streams import collect
from tests.test_providers.test_anthropic.answering import CALLER

OTHER = Caller(Credential("sk-ant-api03-other"), "other")


def files(state: State, upstream: str = "anthropic") -> StagedFiles:
    return StagedFiles(upstream, state, timedelta(days=1))


async def staged(state: State, caller: Caller = CALLER, data: bytes = b"x") -> str:
    staged_id, kept = new_staged_id(), files(state)
    await state.create(kept.content_name(caller, staged_id), in_memory(data))
    await kept.record(caller, staged_id, File(staged_file_id(staged_id), size=len(data)))
    return staged_id


def test_the_order_of_ids_is_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [1, 1_800_000_000, 4_000_000_000]
    ids = []
    for second in seconds:
        monkeypatch.setattr("time.time_ns", lambda second=second: second * 10**9)
        ids.append(new_staged_id())
    assert sorted(ids) == ids[::-1]
    assert {len(staged_id) for staged_id in ids} == {30}


async def test_a_file_comes_back_as_first_recorded() -> None:
    state, staged_id = MemoryState(), new_staged_id()
    first = File(
        staged_file_id(staged_id), "dn", "m", 1, datetime.now(UTC), datetime.now(UTC), "sha"
    )
    assert await files(state).record(CALLER, staged_id, first) == first
    again = File(staged_file_id(staged_id), "another")
    assert await files(state).record(CALLER, staged_id, again) == first
    assert await files(state).get(CALLER, staged_id) == first


class Counting(MemoryState):
    """Counts the names that it lists."""

    listed = 0

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectInfo]:
        async for info in super().list(prefix, after):
            self.listed += 1
            yield info


@pytest.mark.parametrize("count", [30, 300])
async def test_all_pages_together_list_each_file_once(count: int) -> None:
    """Each page listed all files before it too, so the names grew with the square of the files."""
    state = Counting()
    made = sorted([await staged(state) for _ in range(count)])
    found: list[str] = []
    while page := await first_of(10, files(state).after(CALLER, found[-1] if found else "")):
        found += page
    assert found == made
    assert state.listed == count


async def first_of(most: int, listed: AsyncIterator[tuple[str, File]]) -> list[str]:
    found: list[str] = []
    async for staged_id, _ in listed:
        found.append(staged_id)
        if len(found) == most:
            break
    return found


async def test_content_is_read_only_through_its_record() -> None:
    state = MemoryState()
    staged_id = await staged(state, data=b"abc")
    opened = await files(state).download(CALLER, staged_id)
    assert (opened.body.length, await collect(aiter(opened.body.chunks))) == (3, b"abc")
    for kept, caller in ((files(state), OTHER), (files(state, "another"), CALLER)):
        with pytest.raises(FerryError) as caught:
            await kept.download(caller, staged_id)
        assert caught.value.status == Status.NOT_FOUND


@given(st.lists(st.booleans(), max_size=8), st.integers(0, 8))
async def test_a_tenants_files_after_any_id(mine: list[bool], place: int) -> None:
    state = MemoryState()
    ids = sorted([await staged(state, CALLER if own else OTHER) for own in mine])
    own = sorted([i async for i, _ in files(state).after(CALLER, "")])
    assert len(own) == sum(mine)
    after = ids[place] if place < len(ids) else ""
    listed = [i async for i, _ in files(state).after(CALLER, after)]
    assert listed == [i for i in own if i > after]


@pytest.mark.parametrize("staged_id", ["", "A" * 30, "..", "a/b", "0" * 29, "0" * 31])
async def test_an_invalid_id(staged_id: str) -> None:
    with pytest.raises(FerryError) as caught:
        await files(MemoryState()).get(CALLER, staged_id)
    assert caught.value.status == Status.NOT_FOUND


async def test_a_deleted_file_leaves_nothing() -> None:
    state = MemoryState()
    await files(state).delete(CALLER, await staged(state))
    assert state.objects == {}


async def test_a_list_reads_each_record_once() -> None:
    state = CountedState(MemoryState())
    first, second = await staged(state), await staged(state)
    kept = files(state)
    state.calls.clear()
    for _ in range(3):
        assert {found async for found, _ in kept.after(CALLER, "")} == {first, second}
    assert state.counts() == {"list": 3, "get": 2}


async def test_a_list_does_not_show_what_another_replica_deleted() -> None:
    state = MemoryState()
    staged_id, kept = await staged(state), files(state)
    assert [found async for found, _ in kept.after(CALLER, "")] == [staged_id]
    await files(state).delete(CALLER, staged_id)
    assert [found async for found, _ in kept.after(CALLER, "")] == []
    with pytest.raises(FerryError):
        await kept.get(CALLER, staged_id)
