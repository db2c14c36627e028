"""`models`: single requests, streams, and the list."""

from typing import Any

from aiohttp import web

from ..event_stream import events
from ..intake import read_json
from .batches import known_model
from .chunks import stream_chunks
from .content import GENERATE
from .envelope import invalid
from .files import page
from .gate import allow_query
from .generation import LineError, generate
from .store import STORE

NAMES = ("gemini-2.5-flash", "gemini-embedding-001")


async def list_models(request: web.Request) -> web.Response:
    allow_query(request, "pageSize", "pageToken")
    listed, token = page(request, [{"name": f"models/{name}"} for name in NAMES])
    answer = {"models": listed, **({"nextPageToken": token} if token else {})}
    return web.json_response(answer)


async def generate_content(request: web.Request) -> web.Response:
    allow_query(request)
    return web.json_response(await _answer(request))


async def stream_generate_content(request: web.Request) -> web.Response:
    """Server-sent events with `alt=sse`, and a JSON array without."""
    allow_query(request, "alt")
    chunks = stream_chunks(await _answer(request))
    if request.query.get("alt") == "sse":
        return events(chunks, end_of_line="\r\n")
    return web.json_response(list(chunks))


async def _answer(request: web.Request) -> dict[str, Any]:
    model = known_model(request.match_info["model"])
    parsed = GENERATE.parse(await read_json(request))
    settings = request.app[STORE].settings
    try:
        return generate(model, parsed, settings.answer_bytes) | settings.answer
    except LineError as error:
        raise invalid(str(error)) from error
