"""The list of models, newest first, in one page."""

import re

from aiohttp import web

from .envelope import refuse
from .gate import allow_query, no_body

NAMES = ("claude-haiku-4-5-20251001", "claude-sonnet-4-5-20250929")
CREATED = "2025-10-01T00:00:00Z"
MOST = 1000


async def list_models(request: web.Request) -> web.Response:
    allow_query(request, "limit")
    await no_body(request)
    limit = request.query.get("limit", "20")
    if not re.fullmatch(r"\d{1,4}", limit, re.ASCII) or not 1 <= int(limit) <= MOST:
        raise refuse(400, f"limit: Input should be within 1 and {MOST}")
    listed = NAMES[: int(limit)]
    data = [
        {"type": "model", "id": name, "display_name": name, "created_at": CREATED}
        for name in listed
    ]
    more = len(listed) < len(NAMES)
    return web.json_response(
        {"data": data, "has_more": more, "first_id": listed[0], "last_id": listed[-1]}
    )
