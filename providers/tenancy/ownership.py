"""Whose a file or a batch is, where several tenants share the proxy's own credential.

To that one credential a provider shows all that there is, so what a tenant made stands in the
state: one empty object each, written when the thing had been made. What has none, because another
tenant or another tool made it, is for the tenant not there. A record goes when its thing is
deleted through us, or the provider shows it no more. No sweep takes it by its age: that would
hide from a tenant what the provider still has.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from providers.errors import FerryError, not_found
from providers.resource_names import (
    FileKind,
    check_native_id,
    decode_file_id,
    native_file_id,
    parse_file_id,
    result_file_id,
)
from providers.state import State, write

PREFIX: Final = "owned/"

# What was just made may not be listed yet. Unverified: whether Google lists a batch's file of
# results, and how long it keeps that (gemini.md section 7).
_LISTED_WITHIN: Final = timedelta(hours=49)


class Owned(StrEnum):
    FILES = "files"
    BATCHES = "batches"


@dataclass(frozen=True, slots=True)
class Thing:
    """What a tenant owns; `key` is its id as the state store can name it, `name` its own name."""

    kind: Owned
    key: str
    name: str

    @property
    def absent(self) -> FerryError:
        """The same whether there is no such thing or it is another's."""
        return not_found(f"{self.name} does not exist")


def file_thing(file_id: str) -> Thing:
    """A file by its id, ours or native. Raises INVALID_ARGUMENT for what is neither.

    A file of results is its batch's.
    """
    parsed = parse_file_id(file_id)
    kind = Owned.BATCHES if parsed.kind is FileKind.RESULTS else Owned.FILES
    return Thing(kind, str(parsed), f"files/{file_id}")


def batch_thing(batch_id: str) -> Thing:
    key = result_file_id(check_native_id(batch_id, "batch"))
    return Thing(Owned.BATCHES, key, f"batches/{batch_id}")


def native_file_thing(native_id: str) -> Thing:
    """A file by its native id, however that looks."""
    key = native_file_id(check_native_id(native_id, "file"))
    return Thing(Owned.FILES, key, f"files/{native_id}")


def native_id_of(key: str) -> str:
    """The provider's own id in a key of a Thing."""
    decoded = decode_file_id(key)
    if decoded is None:
        raise ValueError(f"{key!r} is no key of a thing")
    return decoded.native


class Ownership:
    """Of one upstream."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state

    async def claim(self, tenant: str, thing: Thing) -> None:
        """Record that `tenant` made `thing`; saying it again changes nothing."""
        await write(self._state, self._name(tenant, thing.kind, thing.key), b"")

    async def release(self, tenant: str, thing: Thing) -> None:
        await self._state.delete(self._name(tenant, thing.kind, thing.key))

    async def release_gone(
        self,
        tenant: str,
        kind: Owned,
        unseen: Iterable[str],
        exists: Callable[[str], Awaitable[bool]],
    ) -> None:
        """Release what the provider's list did not show, by key, and what does not exist then."""
        for key in unseen:
            name = self._name(tenant, kind, key)
            info = await self._state.head(name)
            old = info is not None and datetime.now(UTC) - info.created > _LISTED_WITHIN
            if old and not await exists(key):
                await self._state.delete(name)

    async def owns(self, tenant: str, thing: Thing) -> bool:
        return await self._state.head(self._name(tenant, thing.kind, thing.key)) is not None

    async def check(self, tenant: str, thing: Thing) -> None:
        """Raises NOT_FOUND for what is not the tenant's."""
        if not await self.owns(tenant, thing):
            raise thing.absent

    async def keys(self, tenant: str, kind: Owned) -> set[str]:
        """The keys of all that `tenant` has of this kind."""
        prefix = self._name(tenant, kind, "")
        return {info.name.removeprefix(prefix) async for info in self._state.list(prefix)}

    def _name(self, tenant: str, kind: Owned, key: str) -> str:
        return f"{PREFIX}{self._upstream}/{tenant}/{kind}/{key}"
