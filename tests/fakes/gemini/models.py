"""`models.generateContent` and its stream: just enough to see that a relay leaves them alone."""

import orjson
from aiohttp import web

from ..intake import read_json
from .batches import known_model
from .content import GENERATE
from .envelope import invalid
from .gate import allow_query
from .generation import LineError, generate


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
    await response.prepare(request)
    part = answer["candidates"][0]["content"]["parts"][0]
    for word in part.get("text", "").split(" "):
        event = {"candidates": [{"content": {"role": "model", "parts": [{"text": word}]}}]}
        await response.write(b"data: " + orjson.dumps(event) + b"\r\n\r\n")
    return response
