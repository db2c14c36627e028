"""The list of models. It is never empty, and has no pages."""

from aiohttp import web

from .envelope import refuse

NAMES = ("gpt-4o-mini", "text-embedding-3-small")
CREATED = 1_721_172_741


async def list_models(request: web.Request) -> web.Response:
    for name in request.query:
        raise refuse(400, f"Unrecognized request argument supplied: {name}", param=name)
    data = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "system"} for name in NAMES
    ]
    return web.json_response({"object": "list", "data": data})
