"""`/model/{id}/converse` and `/model/{id}/invoke`: one request, answered at once."""

import secrets
from typing import Any

from aiohttp import web

from ..journal import EXCHANGE
from .converse_rules import ConverseCall, s3_uris
from .envelope import refuse
from .gate import allow_query, json_object
from .invocation import Answer, converse, invoke
from .models import Model, find_model
from .role_buckets import OutOfReach, S3Location
from .sentences import ModelError
from .service_model import check_text, input_shape
from .store import STORE, BedrockStore


async def converse_now(request: web.Request) -> web.Response:
    allow_query(request)
    store, model, body = request.app[STORE], _model(request, "Converse"), json_object(request)
    there = await _there(store, body)
    call = ConverseCall(in_batch=False, there=there.__contains__)
    try:
        answer = converse(body, model, call, store.settings.answer_bytes)
    except ModelError as error:
        raise refuse("ValidationException", str(error)) from None
    return _answered(request, answer)


async def invoke_now(request: web.Request) -> web.Response:
    allow_query(request)
    store, model, body = request.app[STORE], _model(request, "InvokeModel"), json_object(request)
    try:
        answer = invoke(body, model, secrets.token_hex(8), store.settings.answer_bytes)
    except ModelError as error:
        raise refuse("ValidationException", str(error)) from None
    return _answered(request, answer)


def _model(request: web.Request, operation: str) -> Model:
    given = request.match_info["model"]
    check_text(given, input_shape("bedrock-runtime", operation).members["modelId"], "modelId")
    return find_model(given)


def _answered(request: web.Request, answer: Answer) -> web.Response:
    request[EXCHANGE].asks(answer.asked)
    settings = request.app[STORE].settings
    return web.json_response(answer.output | settings.answer)


async def _there(store: BedrockStore, body: dict[str, Any]) -> set[str]:
    """The URIs in the request that name an existing object."""
    return {uri for uri in s3_uris(body.get("messages")) if await _is_there(store, uri)}


async def _is_there(store: BedrockStore, uri: str) -> bool:
    location = S3Location.of(uri)
    try:
        return location.key in await store.buckets.sizes(location)
    except OutOfReach:
        return False
