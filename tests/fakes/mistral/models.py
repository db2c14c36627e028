"""The list of models. It is never empty, and has no pages."""

from aiohttp import web

from ..shape import ShapeError

NAMES = ("mistral-small-latest", "mistral-embed")
CREATED = 1_721_172_741


async def list_models(request: web.Request) -> web.Response:
    for name in request.query:
        raise ShapeError("unknown", name, f"{name} is not a parameter of this call.")
    data = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "mistralai"}
        for name in NAMES
    ]
    return web.json_response({"object": "list", "data": data})
