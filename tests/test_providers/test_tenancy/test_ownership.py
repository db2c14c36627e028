"""Whose a thing is, by whatever name a client gives it."""

import pytest

from providers.errors import FerryError
from providers.resource_names import FileId, FileKind, native_file_id, result_file_id
from providers.tenancy.ownership import (
    Owned,
    Ownership,
    Thing,
    batch_thing,
    file_thing,
    native_file_thing,
)
from tests.memory_state import MemoryState


@pytest.mark.parametrize(
    ("thing", "other"),
    [
        (file_thing("file-Ab_1"), file_thing(native_file_id("file-Ab_1"))),
        (file_thing("abc-1"), native_file_thing("abc-1")),
        (file_thing(result_file_id("batch_1")), batch_thing("batch_1")),
    ],
)
def test_a_thing_is_the_same_by_every_name(thing: Thing, other: Thing) -> None:
    assert (thing.kind, thing.key) == (other.kind, other.key)


def test_things_of_different_kinds_are_different() -> None:
    names = [str(FileId(kind, "abc")) for kind in FileKind]
    keys = {(file_thing(name).kind, file_thing(name).key) for name in names}
    assert len(keys) == len(FileKind)


def test_googles_names_are_never_taken_for_ours() -> None:
    ours = native_file_id("abc")
    assert native_file_thing(ours).key != file_thing(ours).key


@pytest.mark.parametrize("name", ["..", "a/b", "a b", "", "\u00e9"])
def test_what_is_no_id_owns_nothing(name: str) -> None:
    for thing in (file_thing, batch_thing, native_file_thing):
        with pytest.raises(FerryError) as caught:
            thing(name)
        assert caught.value.status == "INVALID_ARGUMENT"


async def test_a_thing_is_its_makers_until_it_is_released() -> None:
    state = MemoryState()
    ownership = Ownership("openai", state)
    thing = file_thing("file-1")
    await ownership.claim("ann", thing)
    await ownership.claim("ann", thing)
    assert await ownership.owns("ann", thing)
    assert not await ownership.owns("bob", thing)
    assert not await Ownership("my-vllm", state).owns("ann", thing)
    assert await ownership.keys("ann", Owned.FILES) == {thing.key}
    assert await ownership.keys("ann", Owned.BATCHES) == set()
    with pytest.raises(FerryError, match="files/file-1 does not exist") as caught:
        await ownership.check("bob", thing)
    assert caught.value.status == "NOT_FOUND"
    await ownership.release("ann", thing)
    assert not await ownership.owns("ann", thing)
    assert state.objects == {}


async def test_a_tenant_whose_name_begins_like_anothers_is_another() -> None:
    ownership = Ownership("openai", MemoryState())
    await ownership.claim("ann2", batch_thing("batch_1"))
    assert await ownership.keys("ann", Owned.BATCHES) == set()
