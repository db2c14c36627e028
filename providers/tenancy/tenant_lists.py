"""Pages of one tenant's files or batches, filtered from the provider's list for all tenants.

A page token is the provider's own, with the paging that it belongs to. A page has one only if
another item follows: an empty last page breaks the pager of the Python SDK.

Providers also delete without a call through the proxy: Google after 48 hours. What a reading of the
whole list does not show is looked up, and its record released if it is gone. Otherwise every later
list would search for it.
"""

from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from providers.errors import unavailable
from providers.pagings import new_paging, split_token, token_in
from providers.resources import Page
from providers.tenancy.ownership import Ownership, ResourceKind

# Every provider has pages of this size. Some are asked for one more, and their limit is 100.
_SCANNED: Final = 99
_TRIES: Final = 5


class Listed(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=Listed)
# One page of the provider's list: the number of items, and the token where it starts.
Fetch = Callable[[int, str | None], Awaitable[Page[T]]]


@dataclass(frozen=True, slots=True)
class TenantList(Generic[T]):
    """The resources of one `kind` that `tenant` owns.

    `fetch` gets a page of the provider's list, `key_of` is the key of an item. `exists` asks the
    provider for one item by its key: that a list lacks an item proves nothing, because the list may
    be cut short, or change while it is read.
    """

    ownership: Ownership
    tenant: str
    kind: ResourceKind
    fetch: Fetch[T]
    key_of: Callable[[T], str]
    exists: Callable[[str], Awaitable[bool]]

    async def page(self, page_size: int, page_token: str | None) -> Page[T]:
        if not page_token:
            return await self._first_page(page_size)
        paging, token = split_token(page_token)
        paging_id = (self.tenant, self.kind, paging)
        own = self.ownership.pagings.names(paging_id)
        if own is None:
            own = frozenset(await self.ownership.keys(self.tenant, self.kind))
            self.ownership.pagings.keep(paging_id, own)
        page, _ = await tenant_page(self.fetch, self.key_of, own, page_size, token)
        return Page(page.items, token_in(paging, page.next_page_token))

    async def _first_page(self, page_size: int) -> Page[T]:
        claimed = await self.ownership.keys(self.tenant, self.kind)
        own = frozenset(claimed)
        page, unseen = await tenant_page(self.fetch, self.key_of, own, page_size, None)
        gone = {key: claimed[key] for key in unseen}
        await self.ownership.release_gone(self.tenant, self.kind, gone, self.exists)
        paging = new_paging()
        if page.next_page_token:
            self.ownership.pagings.keep((self.tenant, self.kind, paging), own)
        return Page(page.items, token_in(paging, page.next_page_token))


@dataclass(frozen=True, slots=True)
class _Position(Generic[T]):
    """The position of `item`: `index` on the page that begins at `token`."""

    item: T
    token: str | None
    index: int


async def tenant_page(
    fetch: Fetch[T],
    key_of: Callable[[T], str],
    own: Set[str],
    page_size: int,
    page_token: str | None,
) -> tuple[Page[T], Set[str]]:
    """Up to `page_size` items whose keys are in `own`, starting at `page_token`.

    Also returns the keys of `own` that the provider's list does not show; none unless this call
    read the whole list.
    """
    for _ in range(_TRIES):
        kept, seen = await _kept(fetch, key_of, own, page_size, page_token)
        items = [position.item for position in kept[:page_size]]
        if len(kept) <= page_size:
            return Page(items), set() if page_token else own - seen
        last = await _page_that_ends_with(fetch, kept[page_size - 1])
        if last is not None:
            return Page(items, last.next_page_token), set()
    raise unavailable("the list changes while it is read; ask for it again")


async def _kept(
    fetch: Fetch[T],
    key_of: Callable[[T], str],
    own: Set[str],
    page_size: int,
    page_token: str | None,
) -> tuple[list[_Position[T]], Set[str]]:
    """Up to `page_size` items and the next one, and the keys of all of them."""
    kept: list[_Position[T]] = []
    token, seen = page_token, set[str]()
    while len(seen) < len(own):
        page = await fetch(_SCANNED, token)
        for index, item in enumerate(page.items):
            key = key_of(item)
            if key in own and key not in seen:
                seen.add(key)
                kept.append(_Position(item, token, index))
                if len(kept) > page_size:
                    return kept, seen
        if page.next_page_token is None:
            break
        token = page.next_page_token
    return kept, seen


async def _page_that_ends_with(fetch: Fetch[T], position: _Position[T]) -> Page[T] | None:
    """It has the token that follows `position`. None if the item is gone, or moves all the time."""
    size = position.index + 1
    for _ in range(_TRIES):
        page = await fetch(size, position.token)
        ids = [item.id for item in page.items]
        if ids and ids[-1] == position.item.id:
            return page
        # It moves when others create and delete items meanwhile.
        if position.item.id not in ids:
            ids = [item.id for item in (await fetch(_SCANNED, position.token)).items]
        if position.item.id not in ids:
            return None
        size = ids.index(position.item.id) + 1
    return None
