"""`models`: just enough to see that a relay leaves calls alone, and whether a key is known."""

import orjson
from aiohttp import web

from ..intake import Pace, read_json
from ..journal import EXCHANGE
from .batches import known_model
from .content import GENERATE
from .envelope import invalid
from .files import page
from .gate import allow_query
from .generation import LineError, generate

NAMES = ("gemini-2.5-flash", "gemini-embedding-001")


async def list_models(request: web.Request) -> web.Response:
    allow_query(request, "pageSize", "pageToken")
    listed, token = page(request, [{"name": f"models/{name}"} for name in NAMES])
    answer = {"models": listed, **({"nextPageToken": token} if token else {})}
    return web.json_response(answer)


async def generate_content(request: web.Request) -> web.Response:
    allow_query(request)
    model = known_model(request.match_info["model"])
    parsed = GENERATE.parse(await read_json(request))
    try:
        return web.json_response(generate(model, parsed))
    except LineError as error:
        raise invalid(str(error)) from error


async def stream_generate_content(request: web.Request) -> web.StreamResponse:
    """Server-sent events, a word each."""
    model = known_model(request.match_info["model"])
    answer = generate(model, GENERATE.parse(await read_json(request)))
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    exchange = request[EXCHANGE]
    pace = Pace(exchange.settings.write_rate)
    await response.prepare(request)
    part = answer["candidates"][0]["content"]["parts"][0]
    for word in part.get("text", "").split(" "):
        event = {"candidates": [{"content": {"role": "model", "parts": [{"text": word}]}}]}
        written = b"data: " + orjson.dumps(event) + b"\r\n\r\n"
        await response.write(written)
        exchange.gave(len(written))
        await pace.passed(len(written))
    return response
