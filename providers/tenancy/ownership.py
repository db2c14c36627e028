"""Which tenant owns a file or a batch, where several tenants share the proxy's own credential.

The provider shows everything in the account to that credential. So the state store has one empty
object for each file and batch that a tenant made, written once it exists. A tenant does not see
what it has no record of: another tenant or another tool made it. A record is removed when its
resource is deleted through the proxy, or when the provider no longer shows the resource. The sweep
removes no record by its age: that would hide from a tenant what the provider still has.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from providers.errors import FerryError, not_found, unavailable
from providers.pagings import Pagings
from providers.resource_names import (
    FileKind,
    check_native_id,
    decode_file_id,
    native_file_id,
    parse_file_id,
    result_file_id,
)
from providers.state import State, write
from providers.stored_objects import OWNED

# A new resource may not be in the list yet. Unverified: whether Google lists a batch's file of
# results, and how long it keeps that (gemini.md section 7).
_LISTED_WITHIN: Final = timedelta(hours=49)
# How many resources that a list does not show are looked up, all at once. They are chosen at
# random: some may exist, and the same ones must not be looked up each time.
_LOOKED_UP: Final = 20


class ResourceKind(StrEnum):
    FILES = "files"
    BATCHES = "batches"


@dataclass(frozen=True, slots=True)
class OwnedResource:
    """A file or batch of a tenant; `key` is its id in the state store, `name` its resource name."""

    kind: ResourceKind
    key: str
    name: str

    @property
    def absent(self) -> FerryError:
        """The error for a resource that does not exist or that another tenant owns."""
        return not_found(f"{self.name} does not exist")


def owned_file(file_id: str) -> OwnedResource:
    """A file by its id, made by the proxy or native. Raises INVALID_ARGUMENT for any other text.

    For a file of results this is its batch.
    """
    parsed = parse_file_id(file_id)
    kind = ResourceKind.BATCHES if parsed.kind is FileKind.RESULTS else ResourceKind.FILES
    return OwnedResource(kind, str(parsed), f"files/{file_id}")


def owned_batch(batch_id: str) -> OwnedResource:
    key = result_file_id(check_native_id(batch_id, "batch"))
    return OwnedResource(ResourceKind.BATCHES, key, f"batches/{batch_id}")


def owned_native_file(native_id: str) -> OwnedResource:
    """A file by its native id, also if that looks like an id that the proxy makes."""
    key = native_file_id(check_native_id(native_id, "file"))
    return OwnedResource(ResourceKind.FILES, key, f"files/{native_id}")


def native_id_of(key: str) -> str:
    """The native id in the key of an OwnedResource."""
    decoded = decode_file_id(key)
    if decoded is None:
        raise ValueError(f"{key!r} is not the key of a resource")
    return decoded.native


class Ownership:
    """The records of ownership at one upstream."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state
        self.pagings = Pagings[Set[str]]()

    async def claim(self, tenant: str, resource: OwnedResource) -> None:
        """Record that `tenant` made `resource`; a repeat changes nothing."""
        await write(self._state, self._name(tenant, resource.kind, resource.key), b"")

    async def claim_created(
        self,
        tenant: str,
        batch: OwnedResource,
        idempotency_key: str | None,
        cancel: Callable[[], Awaitable[None]],
    ) -> None:
        """As `claim`, for a new batch. Raises UNAVAILABLE if its owner cannot be recorded.

        The batch is then cancelled, unless a repeat with the same key will get the same one.
        """
        try:
            await self.claim(tenant, batch)
        except Exception as error:
            then = ": send the creation again with the same idempotency key"
            if not idempotency_key:
                try:
                    await cancel()
                    then = ", so it was cancelled; create it again"
                except FerryError as refused:
                    then = f", and it could not be cancelled ({refused.status.name})"
            what = f"{batch.name} was created, but its owner could not be recorded"
            raise unavailable(what + then) from error

    async def release(self, tenant: str, resource: OwnedResource) -> None:
        await self._state.delete(self._name(tenant, resource.kind, resource.key))

    async def release_gone(
        self,
        tenant: str,
        kind: ResourceKind,
        unseen: Mapping[str, datetime],
        exists: Callable[[str], Awaitable[bool]],
    ) -> None:
        """Remove the records of those keys in `unseen` whose resources no longer exist.

        They come with the times of the records.
        """
        listed_since = datetime.now(UTC) - _LISTED_WITHIN
        old = [key for key, claimed in unseen.items() if claimed < listed_since]

        async def release(key: str) -> None:
            if not await exists(key):
                await self._state.delete(self._name(tenant, kind, key))

        await asyncio.gather(*map(release, random.sample(old, min(len(old), _LOOKED_UP))))

    async def owns(self, tenant: str, resource: OwnedResource) -> bool:
        return await self._state.head(self._name(tenant, resource.kind, resource.key)) is not None

    async def check(self, tenant: str, resource: OwnedResource) -> None:
        """Raises NOT_FOUND for a resource that the tenant does not own."""
        if not await self.owns(tenant, resource):
            raise resource.absent

    async def keys(self, tenant: str, kind: ResourceKind) -> dict[str, datetime]:
        """The keys of all resources of this kind that `tenant` owns, and when each was claimed.

        A bucket answers a call with at most 1,000 of them.
        """
        prefix = self._name(tenant, kind, "")
        return {
            # A long key has several segments.
            info.name.removeprefix(prefix).replace("/", ""): info.created
            async for info in self._state.list(prefix)
        }

    def _name(self, tenant: str, kind: ResourceKind, key: str) -> str:
        return OWNED.name(self._upstream, tenant, kind, key)
