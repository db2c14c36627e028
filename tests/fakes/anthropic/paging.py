"""Pages: by cursor ids (batches, and files in the beta's shape), and by an opaque token (files)."""

import base64
import re
from typing import Any

from aiohttp import web

from .envelope import refuse
from .store import STORE, StoredFile

MOST, USUAL = 1000, 20
TOKEN = re.compile(r"page_([A-Za-z0-9_-]+)")


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", str(USUAL))
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or not 1 <= int(text) <= MOST:
        raise refuse(400, f"limit: must be within 1..{MOST}")
    return min(int(text), request.app[STORE].settings.page_limit or MOST)


def cursor_page(request: web.Request, items: list[dict[str, Any]]) -> web.Response:
    """The page after `after_id`, or before `before_id`, of items in the order listed."""
    limit = _limit(request)
    after, before = request.query.get("after_id"), request.query.get("before_id")
    if after is not None and before is not None:
        raise refuse(400, "Only one of after_id and before_id may be given.")
    if before is not None:
        end = _place(items, before)
        start = max(0, end - limit)
        more = start > 0
    else:
        start = 0 if after is None else _place(items, after) + 1
        end = start + limit
        more = end < len(items)
    page = items[start:end]
    return web.json_response(
        {
            "data": page,
            "has_more": more,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
        }
    )


def _place(items: list[dict[str, Any]], native_id: str) -> int:
    for place, item in enumerate(items):
        if item["id"] == native_id:
            return place
    raise refuse(400, f"The cursor names nothing in this list: {native_id}")


def token_page(request: web.Request, files: list[StoredFile]) -> web.Response:
    """The page that `page` names. A token stays valid after its file is deleted."""
    limit = _limit(request)
    if "page" in request.query:
        last = _number(request.query["page"])
        files = [file for file in files if file.number < last]
    page = files[:limit]
    following = _token(page[-1].number) if len(files) > limit else None
    data = [file.resource for file in page]
    return web.json_response({"data": data, "next_page": following})


def _token(number: int) -> str:
    return "page_" + base64.urlsafe_b64encode(f"before {number}".encode()).decode().rstrip("=")


def _number(token: str) -> int:
    found = TOKEN.fullmatch(token)
    try:
        text = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)) if found else b""
        word, number = text.decode().split(" ")
        if word != "before":
            raise ValueError(word)
        return int(number)
    except ValueError:
        raise refuse(400, "page: not a token of this list") from None
