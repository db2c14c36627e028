"""Single requests to a model, answered at once."""

from typing import Any

from aiohttp import web

from ..event_stream import events
from ..intake import read_json
from ..refusal import Refusal
from .answers import LineError, answer
from .chat_stream import chat_chunks
from .envelope import refuse
from .store import STORE


async def create(request: web.Request) -> web.Response:
    body: Any = await read_json(request)
    if not isinstance(body, dict):
        raise refuse(422, "The body must be an object.")
    settings = request.app[STORE].settings
    try:
        answered = answer({"model": None, "endpoint": request.path}, body, settings.answer_bytes)
    except LineError as failure:
        raise Refusal(failure.status, failure.body) from None
    whole = answered | settings.answer
    if body.get("stream"):
        return events(chat_chunks(whole), done=True)
    return web.json_response(whole)
