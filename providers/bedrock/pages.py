"""Full pages from AWS's lists, of which some items are hidden.

AWS is asked for whole pages, so hidden items cost no further calls. Its tokens are opaque and lead
to the beginning of an AWS page. Our token is one of them, plus the id on that page after which our
page continues.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from providers.json_api.page_tokens import decode_page_token, encode_page_token, in_parts

T = TypeVar("T")

_PAGE_START: Final = re.compile(r"[a-z0-9]{0,6000}\.[!-~]{0,6000}")


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """`id` has lower-case letters and digits."""

    id: str
    item: T


@dataclass(frozen=True, slots=True)
class PageStart:
    """After the id `after` (if not empty) on AWS's page at `token`."""

    after: str = ""
    token: str | None = None

    def __str__(self) -> str:
        return f"{self.after}.{self.token or ''}"


Fetch = Callable[[str | None], Awaitable[tuple[Sequence[Listed[T]], str | None]]]
Follows = Callable[[str], bool]
Filter = Callable[[Sequence[Listed[T]]], Awaitable[Sequence[Listed[T]]]]


def page_start_of(page_token: str | None) -> PageStart:
    """Where a list continues, or its beginning without a token. Raises INVALID_ARGUMENT."""
    if not page_token:
        return PageStart()
    after, _, token = decode_page_token(page_token, _PAGE_START).partition(".")
    return PageStart(after, token or None)


async def filled_page(
    fetch: Fetch[T],
    page_size: int,
    page_token: str | None,
    follows: Callable[[str], Follows],
    visible: Filter[T],
) -> tuple[list[T], str | None]:
    """Up to `page_size` items of `fetch` that are `visible`, and the token of the next page.

    There is a token only if the next page has an item: an empty page after a token breaks the
    Python SDK's pager. `follows(after)` decides for each id in turn whether it comes after `after`.
    `visible` may ask the state store, so it gets only as many items as are likely to be needed.
    """
    items: list[T] = []
    start = page_start_of(page_token)
    position, comes_after = start, follows(start.after)
    token = start.token
    while True:
        page, following = await fetch(token)
        rest = [listed for listed in page if comes_after(listed.id)]
        for part in in_parts(rest, page_size + 1):
            for listed in await visible(part):
                if len(items) == page_size:
                    return items, encode_page_token(str(position))
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
