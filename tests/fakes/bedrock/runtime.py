"""The calls below `/model/{id}`: one request, answered at once, or counted."""

import secrets
from base64 import b64decode, b64encode
from typing import Any

import orjson
from aiohttp import web

from ..anthropic.message_stream import message_events
from ..event_stream import binary_events
from ..journal import EXCHANGE
from ..sample import token_count
from ..shape import ShapeError
from .catalogue import BY_PROFILE
from .claude_body import parse_claude
from .converse_rules import ConverseCall, parse_converse, s3_uris
from .converse_stream import converse_events
from .envelope import refuse
from .gate import allow_query, json_object
from .invocation import Answer, converse, invoke
from .models import Model, find_model
from .role_buckets import OutOfReach, S3Location
from .sentences import ModelError
from .service_model import check, check_text, input_shape
from .store import STORE, BedrockStore

# Counts of every InvokeModel, also where the body of the answer has none.
INPUT_TOKENS = "X-Amzn-Bedrock-Input-Token-Count"
OUTPUT_TOKENS = "X-Amzn-Bedrock-Output-Token-Count"


async def converse_now(request: web.Request) -> web.Response:
    return web.json_response(await _converse(request))


async def converse_streaming(request: web.Request) -> web.Response:
    return binary_events(converse_events(await _converse(request)))


async def _converse(request: web.Request) -> dict[str, Any]:
    allow_query(request)
    store, model, body = request.app[STORE], _model(request, "Converse"), json_object(request)
    there = await _there(store, body)
    call = ConverseCall(in_batch=False, there=there.__contains__)
    try:
        answer = converse(body, model, call, store.settings.answer_bytes, store.prompts)
    except ModelError as error:
        raise refuse("ValidationException", str(error)) from None
    return _answered(request, answer)


async def invoke_now(request: web.Request) -> web.Response:
    answer = _invoke(request)
    counts = {INPUT_TOKENS: str(answer.read), OUTPUT_TOKENS: str(answer.written)}
    return web.json_response(_answered(request, answer), headers=counts)


async def invoke_streaming(request: web.Request) -> web.Response:
    """Unverified for other models than Claude, so only that streams here."""
    if find_model(request.match_info["model"]).claude is None:
        raise refuse("ValidationException", "This fake streams only Claude's own answers.")
    return binary_events(
        ("chunk", {"bytes": b64encode(orjson.dumps(event)).decode()})
        for event in message_events(_answered(request, _invoke(request)))
    )


def _invoke(request: web.Request) -> Answer:
    allow_query(request)
    members = input_shape("bedrock-runtime", "InvokeModel").members
    tier = request.headers.get("X-Amzn-Bedrock-Service-Tier")
    if tier is not None:
        check_text(tier, members["serviceTier"], "serviceTier")
    store, model, body = request.app[STORE], _model(request, "InvokeModel"), json_object(request)
    try:
        seed, size = secrets.token_hex(8), store.settings.answer_bytes
        return invoke(body, model, seed, size, store.prompts)
    except ModelError as error:
        raise refuse("ValidationException", str(error)) from None


async def count_tokens(request: web.Request) -> web.Response:
    """bedrock.md section 9: of Claude's models, under their own ids only."""
    allow_query(request)
    model, body = _model(request, "CountTokens"), json_object(request)
    if model.claude is None or request.match_info["model"] != model.id:
        raise refuse("ValidationException", "The provided model doesn't support counting tokens.")
    try:
        check({**body, "modelId": model.id}, input_shape("bedrock-runtime", "CountTokens"))
        counted = await _counted(request.app[STORE], model, body["input"])
    except ShapeError as wrong:
        raise refuse("ValidationException", f"{wrong.path}: {wrong.message}") from None
    except ModelError as error:
        raise refuse("ValidationException", str(error)) from None
    return web.json_response({"inputTokens": token_count(counted)})


async def _counted(store: BedrockStore, model: Model, given: dict[str, Any]) -> dict[str, Any]:
    """Raises ShapeError and ModelError."""
    if "converse" in given:
        there = await _there(store, given["converse"])
        call = ConverseCall(in_batch=False, there=there.__contains__)
        return parse_converse(given["converse"], model, call)
    try:
        body = orjson.loads(b64decode(given["invokeModel"]["body"]))
    except orjson.JSONDecodeError:
        raise ModelError("Malformed input request: the body is not JSON.") from None
    return parse_claude(body, model)


def _model(request: web.Request, operation: str) -> Model:
    given = request.match_info["model"]
    check_text(given, input_shape("bedrock-runtime", operation).members["modelId"], "modelId")
    if given in BY_PROFILE:
        message = f"Invocation of model ID {given} with on-demand throughput isn't supported."
        raise refuse("ValidationException", message)
    return find_model(given)


def _answered(request: web.Request, answer: Answer) -> dict[str, Any]:
    request[EXCHANGE].asks(answer.asked)
    return answer.output | request.app[STORE].settings.answer


async def _there(store: BedrockStore, body: dict[str, Any]) -> set[str]:
    """The URIs in the request that name an existing object."""
    return {uri for uri in s3_uris(body.get("messages")) if await _is_there(store, uri)}


async def _is_there(store: BedrockStore, uri: str) -> bool:
    location = S3Location.of(uri)
    try:
        return location.key in await store.buckets.sizes(location)
    except OutOfReach:
        return False
