"""Pages of Mistral's lists, which are numbered (mistral.md sections 2 and 3)."""

import re
from typing import Final

from providers.credential import Caller
from providers.json_api.client import JsonApi
from providers.json_api.page_tokens import Pages, decode_page_token

# Unverified: the largest page. This is the default.
PAGE_SIZE: Final = 100
_POSITION: Final = re.compile(r"([0-9]{1,8})\.([0-9]{1,4})")


async def numbered_pages(
    client: JsonApi, caller: Caller, path: str, page_token: str | None, **query: str
) -> Pages:
    """The pages behind a token.

    A position is the number of a page, and how many of its objects come before. All pages have one
    size, so that the numbers stay right. The list ends with its `total`, or else with an empty page
    or one that came before: a page may be shorter than asked for.
    """
    number, passed = _position(page_token)
    last = ""
    while True:
        listed, page = await client.page(caller, path, page=number, page_size=PAGE_SIZE, **query)
        if not listed or listed[-1].id == last:
            return
        placed = [(native, f"{number}.{place}") for place, native in enumerate(listed, 1)]
        yield placed[passed:]
        total = page.get("total")
        if isinstance(total, int) and (number + 1) * len(listed) >= total:
            return
        number, passed, last = number + 1, 0, listed[-1].id


def _position(page_token: str | None) -> tuple[int, int]:
    if not page_token:
        return 0, 0
    number, _, passed = decode_page_token(page_token, _POSITION).partition(".")
    return int(number), int(passed)
