"""Pages of AWS's lists, filled up where something on them is not to be shown.

AWS is asked for whole pages of its own, so that what is hidden costs no call of its own. Its
tokens are opaque and lead to where a page of AWS's begins: ours is such a token, and the id on that
page after which ours goes on.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from providers.json_api.page_tokens import decode_page_token, no_token

T = TypeVar("T")

PRINTABLE: Final = re.compile(r"[!-~]{1,6000}")
"""What any token of ours holds, for `providers.json_api.page_tokens`."""

_PAGE_START: Final = re.compile(r"([a-z0-9]*)\.([!-~]*)")


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """`id` is lower-case letters and digits; `item` is None where it is not to be shown."""

    id: str
    item: T | None


@dataclass(frozen=True, slots=True)
class PageStart:
    """After the id `after`, if any, on AWS's page that begins at `token`."""

    after: str = ""
    token: str | None = None

    def __str__(self) -> str:
        return f"{self.after}.{self.token or ''}"


Fetch = Callable[[str | None], Awaitable[tuple[Sequence[Listed[T]], str | None]]]
Follows = Callable[[str], bool]


def parse_page_start(text: str) -> PageStart:
    """Of a `str(page_start)`. Raises INVALID_ARGUMENT."""
    found = _PAGE_START.fullmatch(text)
    if found is None:
        raise no_token()
    return PageStart(found[1], found[2] or None)


def page_start_of(page_token: str | None) -> PageStart:
    """Where a list goes on; its beginning without a token. Raises INVALID_ARGUMENT."""
    if not page_token:
        return PageStart()
    return parse_page_start(decode_page_token(page_token, PRINTABLE))


async def filled_page(
    fetch: Fetch[T], page_size: int, start: PageStart, follows: Callable[[str], Follows]
) -> tuple[list[T], PageStart | None]:
    """`page_size` items of what `fetch` shows, and where the next page begins.

    There is a next one only if something is left to show: an empty page that a token led to breaks
    the Python SDK's pager. `follows(after)` tells of each id in turn whether it comes after that.
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
    """For a list in the order of time: everything from the one behind `after` on."""
    seen = not after

    def follows(listed: str) -> bool:
        nonlocal seen
        before, seen = not seen, seen or listed == after
        return not before

    return follows
