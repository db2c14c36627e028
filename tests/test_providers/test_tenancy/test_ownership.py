"""Every name that a client gives a resource leads to the same record of ownership."""

import pytest

from providers.errors import FerryError
from providers.resource_names import FileId, FileKind, native_file_id, result_file_id
from providers.status import Status
from providers.tenancy.ownership import (
    OwnedResource,
    Ownership,
    ResourceKind,
    owned_batch,
    owned_file,
    owned_native_file,
)
from tests.memory_state import MemoryState


@pytest.mark.parametrize(
    ("resource", "other"),
    [
        (owned_file("file-Ab_1"), owned_file(native_file_id("file-Ab_1"))),
        (owned_file("abc-1"), owned_native_file("abc-1")),
        (owned_file(result_file_id("batch_1")), owned_batch("batch_1")),
    ],
)
def test_a_resource_is_found_by_each_of_its_names(
    resource: OwnedResource, other: OwnedResource
) -> None:
    assert (resource.kind, resource.key) == (other.kind, other.key)


def test_resources_of_different_kinds_are_different() -> None:
    names = [str(FileId(kind, "abc")) for kind in FileKind]
    keys = {(owned_file(name).kind, owned_file(name).key) for name in names}
    assert len(keys) == len(FileKind)


def test_googles_names_are_never_mistaken_for_ours() -> None:
    ours = native_file_id("abc")
    assert owned_native_file(ours).key != owned_file(ours).key


@pytest.mark.parametrize("name", ["..", "a/b", "a b", "", "\u00e9"])
def test_an_invalid_id_names_no_resource(name: str) -> None:
    for owned in (owned_file, owned_batch, owned_native_file):
        with pytest.raises(FerryError) as caught:
            owned(name)
        assert caught.value.status == Status.INVALID_ARGUMENT


async def test_a_resource_belongs_to_its_tenant_until_it_is_released() -> None:
    state = MemoryState()
    ownership = Ownership("openai", state)
    resource = owned_file("file-1")
    await ownership.claim("ann", resource)
    await ownership.claim("ann", resource)
    assert await ownership.owns("ann", resource)
    assert not await ownership.owns("bob", resource)
    assert not await Ownership("my-vllm", state).owns("ann", resource)
    assert set(await ownership.keys("ann", ResourceKind.FILES)) == {resource.key}
    assert await ownership.keys("ann", ResourceKind.BATCHES) == {}
    with pytest.raises(FerryError, match="files/file-1 does not exist") as caught:
        await ownership.check("bob", resource)
    assert caught.value.status == Status.NOT_FOUND
    await ownership.release("ann", resource)
    assert not await ownership.owns("ann", resource)
    assert state.objects == {}


async def test_tenants_with_a_common_prefix_own_different_resources() -> None:
    ownership = Ownership("openai", MemoryState())
    await ownership.claim("ann2", owned_batch("batch_1"))
    assert await ownership.keys("ann", ResourceKind.BATCHES) == {}


async def test_ids_of_any_length_are_listed() -> None:
    """The encoded id is longer than a segment of a name in the state store can be."""
    ownership = Ownership("openai", MemoryState())
    owned = [owned_file("f" * length) for length in (1, 157, 158, 159, 317, 318, 512)]
    for resource in owned:
        await ownership.claim("ann", resource)
        assert await ownership.owns("ann", resource)
    keys = set(await ownership.keys("ann", ResourceKind.FILES))
    assert keys == {resource.key for resource in owned}
