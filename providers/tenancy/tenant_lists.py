"""Pages of a tenant's own things, cut out of a provider's list of everybody's.

The tokens are the provider's own. There is one only if something is left to show: an empty page
that a token led to breaks the Python SDK's pager.

Providers let things go without a delete through us: Google after 48 hours. A walk through all of
the list tells what is gone; its records are released, or every later list would look for it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from providers.errors import unavailable
from providers.resources import Page
from providers.tenancy.ownership import Ownership, ResourceKind

# Every provider gives as many at once. One that is asked for one more to see the end gives 100.
_SCANNED: Final = 99
_TRIES: Final = 5


class Listed(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=Listed)
# A page of the provider's list: how many things, and from which token on.
Fetch = Callable[[int, str | None], Awaitable[Page[T]]]


@dataclass(frozen=True, slots=True)
class TenantList(Generic[T]):
    """What `tenant` has of one `kind`. `fetch` gives everybody's, `key_of` an item's own key.

    `exists` asks the provider for one item by its key. A list is no proof: it may be cut short, or
    move while it is read.
    """

    ownership: Ownership
    tenant: str
    kind: ResourceKind
    fetch: Fetch[T]
    key_of: Callable[[T], str]
    exists: Callable[[str], Awaitable[bool]]

    async def page(self, page_size: int, page_token: str | None) -> Page[T]:
        own = await self.ownership.keys(self.tenant, self.kind)
        page, unseen = await tenant_page(self.fetch, self.key_of, own, page_size, page_token)
        await self.ownership.release_gone(self.tenant, self.kind, unseen, self.exists)
        return page


@dataclass(frozen=True, slots=True)
class _Position(Generic[T]):
    """Where `item` stands: `index` on the page that begins at `token`."""

    item: T
    token: str | None
    index: int


async def tenant_page(
    fetch: Fetch[T],
    key_of: Callable[[T], str],
    own: set[str],
    page_size: int,
    page_token: str | None,
) -> tuple[Page[T], set[str]]:
    """`page_size` things whose keys are among `own`, from `page_token` on.

    And those of `own` that the provider's list does not show: none unless this call read all of it.
    """
    kept: list[_Position[T]] = []
    token, left = page_token, set(own)
    while left:
        page = await fetch(_SCANNED, token)
        for index, item in enumerate(page.items):
            if key_of(item) not in left:
                continue
            if len(kept) == page_size:
                token_after = await _token_after(fetch, kept[-1])
                return Page([position.item for position in kept], token_after), set()
            left.discard(key_of(item))
            kept.append(_Position(item, token, index))
        if page.next_page_token is None:
            break
        token = page.next_page_token
    return Page([position.item for position in kept]), set() if page_token else left


async def _token_after(fetch: Fetch[T], position: _Position[T]) -> str | None:
    """The token of what follows `position`: that of a page on which it comes last."""
    size = position.index + 1
    for _ in range(_TRIES):
        page = await fetch(size, position.token)
        ids = [item.id for item in page.items]
        if ids and ids[-1] == position.item.id:
            return page.next_page_token
        # Others make and delete things meanwhile, which moves it.
        size = ids.index(position.item.id) + 1 if position.item.id in ids else size + 1
    raise unavailable("the list changes while it is read; ask for it again")
