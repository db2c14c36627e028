"""The models. Their list is never empty, and has no pages (openai.md section 8)."""

from typing import Any

from aiohttp import web

from .envelope import refuse

CREATED = 1_721_172_741
# The owner of each; the first two are what tests ask.
OWNERS = {
    "gpt-4o-mini": "system",
    "text-embedding-3-small": "system",
    "o4-mini": "system",
    "gpt-4o-mini-tts": "system",
    "ft:gpt-4o-mini-2024-07-18:acme:support:AbCdEf12": "acme",
}


async def list_models(request: web.Request) -> web.Response:
    _without_query(request)
    return web.json_response({"object": "list", "data": [_model(name) for name in OWNERS]})


async def get_model(request: web.Request) -> web.Response:
    _without_query(request)
    name = request.match_info["model"]
    if name not in OWNERS:
        message = f"The model '{name}' does not exist"
        raise refuse(404, message, param="model", code="model_not_found")
    return web.json_response(_model(name))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": OWNERS[name]}


def _without_query(request: web.Request) -> None:
    for name in request.query:
        raise refuse(400, f"Unrecognized request argument supplied: {name}", param=name)
