"""Pages of AWS's lists, filled up where something on them is not to be shown.

AWS's tokens are opaque and lead to where a page ended, so a page is never cut: what is still
missing is asked for.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

TOKEN: Final = re.compile(r"[!-~]{1,4096}")
"""Any token of AWS's."""

Fetch = Callable[[int, str | None], Awaitable[tuple[Sequence[T], str | None]]]


async def filled_page(
    fetch: Fetch[T], page_size: int, token: str | None
) -> tuple[list[T], str | None]:
    """`page_size` items of what `fetch` shows, and the token of the next page.

    There is one only if something is left to show: an empty page that a token led to breaks the
    Python SDK's pager.
    """
    items: list[T] = []
    while len(items) < page_size:
        page, token = await fetch(page_size - len(items), token)
        items += page
        if token is None:
            return items, None
    return items, await _shows_something(fetch, page_size, token)


async def _shows_something(fetch: Fetch[T], page_size: int, token: str | None) -> str | None:
    """The first token from `token` on whose page is not empty."""
    while token is not None:
        page, following = await fetch(page_size, token)
        if page:
            return token
        token = following
    return None
