"""Single requests to a model, answered at once, and their tokens."""

import re
from typing import Any

from aiohttp import web

from ..event_stream import events
from ..intake import read_json
from ..refusal import Refusal
from ..sample import token_count
from .answers import answer
from .batch_input import MODEL
from .chat_stream import chat_chunks
from .envelope import refuse
from .invented import LineError
from .named_files import check_named_files
from .response_events import response_events
from .responses_request import parse_counted
from .store import OWNER, STORE

RESPONSES = "/v1/responses"
ONLY_RESPONSES = re.compile(r"-codex|-pro")


async def create(request: web.Request) -> web.Response:
    body: Any = await read_json(request)
    if not isinstance(body, dict):
        raise refuse(400, "We could not parse the JSON body of your request.")
    store = request.app[STORE]
    settings = store.settings
    try:
        answered = answer(request.path, body, settings.answer_bytes)
    except LineError as failure:
        raise Refusal(failure.status, failure.body) from None
    _find_model(body["model"])
    if request.path != RESPONSES and ONLY_RESPONSES.search(body["model"]):
        message = "This model is only supported in v1/responses and not in v1/chat/completions."
        raise refuse(404, message, param="model")
    check_named_files(store, request[OWNER], body)
    whole = answered | settings.answer
    if body.get("stream") and request.path == RESPONSES:
        return events(response_events(whole), named=True)
    if body.get("stream"):
        options = body.get("stream_options") or {}
        usage = bool(options.get("include_usage"))
        return events(chat_chunks(whole, usage=usage), done=True)
    return web.json_response(whole)


async def count(request: web.Request) -> web.Response:
    parsed = parse_counted(await read_json(request))
    _find_model(parsed["model"])
    check_named_files(request.app[STORE], request[OWNER], parsed)
    answer = {"object": "response.input_tokens", "input_tokens": token_count(parsed)}
    return web.json_response(answer)


def _find_model(name: str) -> None:
    if not MODEL.fullmatch(name):
        message = f"The model `{name}` does not exist or you do not have access to it."
        raise refuse(404, message, code="model_not_found")
