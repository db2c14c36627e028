"""Every id that the proxy accepts from a provider can be recorded in every state store."""

from collections.abc import Callable

import pytest

from providers.errors import FerryError
from providers.limits import NATIVE_NAME
from providers.stored_objects import OWNED
from providers.tenancy.ownership import (
    OwnedResource,
    Ownership,
    native_id_of,
    owned_batch,
    owned_native_file,
)
from proxy.object_names import is_name
from tests.memory_state import MemoryState

TENANT = "0" * 64
# Of a name in a bucket, with space for a prefix.
BUCKET_KEY = 1024 - 64


@pytest.mark.parametrize("length", [157, 158, 159, 254, 255, 508, 509, NATIVE_NAME])
@pytest.mark.parametrize("owned", [owned_batch, owned_native_file])
async def test_an_id_of_any_allowed_length_has_an_owner(
    owned: Callable[[str], OwnedResource], length: int
) -> None:
    resource = owned("a" * length)
    state = MemoryState()
    ownership = Ownership("openai", state)
    await ownership.claim(TENANT, resource)

    assert await ownership.owns(TENANT, resource)
    assert set(await ownership.keys(TENANT, resource.kind)) == {resource.key}
    assert native_id_of(resource.key) == "a" * length
    name = OWNED.name("openai", TENANT, resource.kind, resource.key)
    assert is_name(name)
    assert len(name) <= BUCKET_KEY


@pytest.mark.parametrize("owned", [owned_batch, owned_native_file])
def test_a_longer_id_is_refused(owned: Callable[[str], OwnedResource]) -> None:
    with pytest.raises(FerryError) as refused:
        owned("a" * (NATIVE_NAME + 1))
    assert refused.value.code == 400
