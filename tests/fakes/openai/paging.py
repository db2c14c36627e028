"""Cursor pages: `after`, `limit`, and what the answer says about the next one."""

from typing import Any

from aiohttp import web

from .envelope import refuse
from .store import STORE


def cursor_page(
    request: web.Request, items: list[dict[str, Any]], default: int, largest: int
) -> web.Response:
    """One page of `items`, which are in the order asked for and carry an `id` each."""
    text = request.query.get("limit", str(default))
    if not text.isdigit() or not 1 <= int(text) <= largest:
        raise refuse(400, f"'limit' must be within 1..{largest}.", param="limit")
    after = request.query.get("after")
    start = 0
    if after is not None:
        ids = [item["id"] for item in items]
        if after not in ids:
            raise refuse(400, f"'after' names nothing in this list: {after}.", param="after")
        start = ids.index(after) + 1
    limit = min(int(text), request.app[STORE].settings.page_limit or largest)
    page = items[start : start + limit]
    return web.json_response(
        {
            "object": "list",
            "data": page,
            "has_more": start + limit < len(items),
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
        }
    )
