"""Pages of Anthropic's lists, in both shapes that Anthropic uses (anthropic.md section 3)."""

import re
from collections.abc import Sequence
from typing import Final

from providers.credential import Caller
from providers.json_api.client import Answer, JsonApi
from providers.json_api.page_tokens import leading_on, no_token

# The form of Anthropic's cursors is its own choice; they are used only in the query.
CURSOR: Final = re.compile(r"[!-~]{1,4096}")
_PAGE: Final = "page"
_AFTER: Final = "after_id"


async def listed_page(
    client: JsonApi, caller: Caller, path: str, page_size: int, cursor: str | None
) -> tuple[Sequence[Answer], str | None]:
    """One page, newest first, and the cursor of the next."""
    query = _query(cursor) if cursor else {}
    listed, page = await client.page(caller, path, limit=page_size, **query)
    return listed, leading_on(client.name, cursor, _next(page))


def _next(page: Answer) -> str | None:
    following = page.get("next_page")
    if isinstance(following, str) and following:
        return f"{_PAGE}={following}"
    if page.get("has_more") and isinstance(page.get("last_id"), str):
        return f"{_AFTER}={page['last_id']}"
    return None


def _query(cursor: str) -> dict[str, str]:
    name, _, value = cursor.partition("=")
    if name not in (_PAGE, _AFTER):
        raise no_token()
    return {name: value}
