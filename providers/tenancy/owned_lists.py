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
from providers.tenancy.ownership import Owned, Ownership

# As many as every provider gives at once: OpenAI is asked for one more, and gives 100.
_SCANNED: Final = 99
_TRIES: Final = 5


class Listed(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=Listed)
# A page of the provider's list: how many things, and from which token on.
Fetch = Callable[[int, str | None], Awaitable[Page[T]]]


@dataclass(frozen=True, slots=True)
class OwnedList(Generic[T]):
    """What `tenant` has of one `kind`. `fetch` gives everybody's, `key_of` a thing's own key.

    `exists` asks the provider for one thing by its key. A list is no proof: it may be cut short, or
    move while it is read.
    """

    ownership: Ownership
    tenant: str
    kind: Owned
    fetch: Fetch[T]
    key_of: Callable[[T], str]
    exists: Callable[[str], Awaitable[bool]]

    async def page(self, page_size: int, page_token: str | None) -> Page[T]:
        own = await self.ownership.keys(self.tenant, self.kind)
        page, unseen = await owned_page(self.fetch, self.key_of, own, page_size, page_token)
        await self.ownership.release_gone(self.tenant, self.kind, unseen, self.exists)
        return page


@dataclass(frozen=True, slots=True)
class _Place(Generic[T]):
    """Where `thing` stands: `index` on the page that begins at `token`."""

    thing: T
    token: str | None
    index: int


async def owned_page(
    fetch: Fetch[T],
    key_of: Callable[[T], str],
    own: set[str],
    page_size: int,
    page_token: str | None,
) -> tuple[Page[T], set[str]]:
    """`page_size` things whose keys are among `own`, from `page_token` on.

    And those of `own` that the provider's list does not show: none unless this call read all of it.
    """
    kept: list[_Place[T]] = []
    token, left = page_token, set(own)
    while left:
        page = await fetch(_SCANNED, token)
        for index, thing in enumerate(page.items):
            if key_of(thing) not in left:
                continue
            if len(kept) == page_size:
                token_after = await _token_after(fetch, kept[-1])
                return Page([place.thing for place in kept], token_after), set()
            left.discard(key_of(thing))
            kept.append(_Place(thing, token, index))
        if page.next_page_token is None:
            break
        token = page.next_page_token
    return Page([place.thing for place in kept]), set() if page_token else left


async def _token_after(fetch: Fetch[T], place: _Place[T]) -> str | None:
    """The token of what follows `place`: that of a page on which it comes last."""
    size = place.index + 1
    for _ in range(_TRIES):
        page = await fetch(size, place.token)
        ids = [thing.id for thing in page.items]
        if ids and ids[-1] == place.thing.id:
            return page.next_page_token
        # Others make and delete things meanwhile, which moves it.
        size = ids.index(place.thing.id) + 1 if place.thing.id in ids else size + 1
    raise unavailable("the list changes while it is read; ask for it again")
