"""However many replicas sweep, the parts of unfinished uploads are counted once an hour."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from providers.body import in_memory
from providers.multipart_uploads import MultipartUpload
from providers.stored_objects import STAGED_CONTENT
from proxy.parts_as_objects import PartsAsObjects
from proxy.unfinished_uploads import count_once_an_hour, count_parts
from tests.contract.counted_state import CountedState
from tests.memory_state import MemoryState

NOW = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Unlisted(PartsAsObjects):
    """As S3: an unfinished upload is not among the objects."""

    def __init__(self, state: MemoryState) -> None:
        super().__init__(state)
        self.begun: list[MultipartUpload] = []

    async def begin(self, name: str, size: int | None = None) -> MultipartUpload:
        self.begun.append(await super().begin(name, size))
        return self.begun[-1]

    async def unlisted(self) -> AsyncIterator[MultipartUpload]:
        for upload in self.begun:
            yield upload


@pytest.fixture
def memory() -> MemoryState:
    state = MemoryState()
    state.multipart = Unlisted(state)
    return state


async def begin(state: MemoryState, uploads: int) -> None:
    """Each has three bytes, for one of two tenants."""
    for number in range(uploads):
        name = STAGED_CONTENT.name("openai", ("ann", "bob")[number % 2], str(number))
        upload = await state.multipart.begin(name)
        await state.multipart.put(upload, 1, in_memory(b"abc"))


async def test_the_bytes_of_each_tenant(memory: MemoryState) -> None:
    await begin(memory, 5)
    counted = await count_parts(memory, NOW)
    assert sorted(counted.values()) == [6, 9]


@pytest.mark.parametrize("scale", [1, 10])
async def test_the_calls_grow_in_a_straight_line(memory: MemoryState, scale: int) -> None:
    """With ten times the uploads come ten times the replicas: it was a hundred times the calls."""
    uploads = replicas = 4 * scale
    await begin(memory, uploads)
    state = CountedState(memory)
    figures = [await count_once_an_hour(state, NOW) for _ in range(replicas)]
    assert state.counts()["parts"] == uploads
    assert len(state.calls) <= 4 * replicas + uploads
    assert all(found == figures[0] for found in figures)


async def test_nothing_is_written_without_such_uploads() -> None:
    state = MemoryState()
    assert await count_once_an_hour(state, NOW) == {}
    assert state.objects == {}


async def test_each_hour_is_counted_again(memory: MemoryState) -> None:
    await begin(memory, 1)
    assert list((await count_once_an_hour(memory, NOW)).values()) == [3]
    await begin(memory, 1)
    assert list((await count_once_an_hour(memory, NOW)).values()) == [3]
    assert list((await count_once_an_hour(memory, NOW + HOUR)).values()) == [6]


async def test_the_figures_of_the_hour_before_hold_while_another_replica_counts(
    memory: MemoryState,
) -> None:
    await begin(memory, 1)
    before = await count_once_an_hour(memory, NOW - HOUR)
    await memory.create("unfinished/2026112912/begun", in_memory(b""))
    assert await count_once_an_hour(memory, NOW) == before
    assert await count_once_an_hour(memory, NOW + 3 * HOUR)


async def test_the_figures_of_many_tenants_are_shared_too(memory: MemoryState) -> None:
    await begin(memory, 1)
    names = [STAGED_CONTENT.name("openai", f"{number:032x}", "0" * 30) for number in range(20_000)]
    counted = dict.fromkeys(names, 1 << 40)
    await memory.create("unfinished/2026112912/begun", in_memory(b""))
    await memory.create("unfinished/2026112912/figures", in_memory(orjson.dumps(counted)))
    assert await count_once_an_hour(memory, NOW) == counted


async def test_without_figures_a_replica_counts_itself(memory: MemoryState) -> None:
    """Replicas that start together, or after the only one that counted had stopped."""
    await begin(memory, 1)
    await memory.create("unfinished/2026112912/begun", in_memory(b""))
    assert list((await count_once_an_hour(memory, NOW)).values()) == [3]
