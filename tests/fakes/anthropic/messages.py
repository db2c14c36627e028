"""Single Messages, answered at once, and their tokens."""

from collections.abc import Callable

from aiohttp import web

from ..event_stream import events
from ..intake import read_json
from ..sample import token_count
from .answers import answer
from .gate import allow_query, needs_json
from .message_stream import message_events
from .request_rules import parse_counted, parse_params, pieces
from .store import DIALECT, OWNER, STORE


async def create_message(request: web.Request) -> web.Response:
    allow_query(request)
    needs_json(request)
    params = await read_json(request)
    store = request.app[STORE]
    parsed = parse_params(params, request[DIALECT], _media_type(request))
    store.bindings.check(parsed, request[DIALECT])
    cached = store.prompts.use(request[OWNER], parsed["model"], pieces(parsed))
    message = answer(parsed, store.new_id("msg_"), store.settings.answer_bytes, cached)
    store.bindings.remember(parsed, message["content"])
    whole = message | store.settings.answer
    if parsed.get("stream"):
        return events(message_events(whole), named=True)
    return web.json_response(whole)


async def count_tokens(request: web.Request) -> web.Response:
    allow_query(request)
    needs_json(request)
    parsed = parse_counted(await read_json(request), request[DIALECT], _media_type(request))
    return web.json_response({"input_tokens": token_count(parsed)})


def _media_type(request: web.Request) -> Callable[[str], str]:
    store, owner = request.app[STORE], request[OWNER]

    def media_type(file_id: str) -> str:
        return str(store.file(owner, file_id).resource["mime_type"])

    return media_type
