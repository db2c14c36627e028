"""Full pages from AWS's lists, of which some items are hidden.

AWS is asked for whole pages, so hidden items cost no further calls. Its tokens are opaque and lead
to the beginning of an AWS page. Our token is one of them, plus the id on that page after which our
page continues.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from providers.json_api.page_tokens import decode_page_token, no_token

T = TypeVar("T")

PRINTABLE: Final = re.compile(r"[!-~]{1,6000}")
"""The content of all our tokens, for `providers.json_api.page_tokens`."""

_PAGE_START: Final = re.compile(r"([a-z0-9]*)\.([!-~]*)")


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """`id` has lower-case letters and digits; `item` is None if it is hidden."""

    id: str
    item: T | None


@dataclass(frozen=True, slots=True)
class PageStart:
    """After the id `after` (if not empty) on AWS's page at `token`."""

    after: str = ""
    token: str | None = None

    def __str__(self) -> str:
        return f"{self.after}.{self.token or ''}"


Fetch = Callable[[str | None], Awaitable[tuple[Sequence[Listed[T]], str | None]]]
Follows = Callable[[str], bool]


def parse_page_start(text: str) -> PageStart:
    """Parse a `str(page_start)`. Raises INVALID_ARGUMENT."""
    found = _PAGE_START.fullmatch(text)
    if found is None:
        raise no_token()
    return PageStart(found[1], found[2] or None)


def page_start_of(page_token: str | None) -> PageStart:
    """Where a list continues, or its beginning without a token. Raises INVALID_ARGUMENT."""
    if not page_token:
        return PageStart()
    return parse_page_start(decode_page_token(page_token, PRINTABLE))


async def filled_page(
    fetch: Fetch[T], page_size: int, start: PageStart, follows: Callable[[str], Follows]
) -> tuple[list[T], PageStart | None]:
    """Up to `page_size` visible items of `fetch`, and where the next page begins.

    There is a next page only if it has an item: an empty page after a token breaks the Python SDK's
    pager. `follows(after)` decides for each id in turn whether it comes after `after`.
    """
    items: list[T] = []
    position, comes_after = start, follows(start.after)
    token = start.token
    while True:
        page, following = await fetch(token)
        for listed in page:
            if not comes_after(listed.id) or listed.item is None:
                continue
            if len(items) == page_size:
                return items, position
            items.append(listed.item)
            position = PageStart(listed.id, token)
        if following is None:
            return items, None
        token = following


def seen_after(after: str) -> Follows:
    """For a list in time order: every item after the item `after`."""
    seen = not after

    def follows(listed: str) -> bool:
        nonlocal seen
        before, seen = not seen, seen or listed == after
        return not before

    return follows
