"""`models`: single requests, streams, and the models."""

from typing import Any

from aiohttp import web

from ..event_stream import events
from ..sample import token_count
from ..shape import Record, Text
from .batches import known_model
from .chunks import stream_chunks
from .content import EMBED, EMBED_SEVERAL, GENERATE
from .envelope import invalid, refuse
from .files import page
from .gate import allow_query
from .generation import LineError, embed, generate
from .hand_written import read_json
from .store import STORE

METHODS = {
    "gemini-2.5-flash": ["generateContent", "countTokens", "batchGenerateContent"],
    "gemini-embedding-001": ["embedContent", "asyncBatchEmbedContent"],
}
# ai.google.dev/api/tokens: one of the two.
COUNT = Record(
    {
        "model": Text(pattern=r"models/.+"),
        "contents": GENERATE.fields["contents"],
        "generateContentRequest": GENERATE,
    },
    protobuf=True,
)


async def list_models(request: web.Request) -> web.Response:
    allow_query(request, "pageSize", "pageToken")
    listed, token = page(request, [_model(name) for name in METHODS])
    answer = {"models": listed, **({"nextPageToken": token} if token else {})}
    return web.json_response(answer)


async def get_model(request: web.Request) -> web.Response:
    allow_query(request)
    name = known_model(request.match_info["model"])
    if name not in METHODS:
        raise refuse("NOT_FOUND", f"models/{name} is not found for API version v1beta.")
    return web.json_response(_model(name))


def _model(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": METHODS[name],
    }


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


async def embed_content(request: web.Request) -> web.Response:
    """The model is in the path, and google-generativeai leaves it out of the body."""
    allow_query(request)
    model = f"models/{request.match_info['model']}"
    parsed = {"model": model} | EMBED.parse(await read_json(request))
    return web.json_response(_embed(request, parsed))


async def batch_embed_contents(request: web.Request) -> web.Response:
    allow_query(request)
    parsed = EMBED_SEVERAL.parse(await read_json(request))
    answers = [_embed(request, each) for each in parsed["requests"]]
    return web.json_response({"embeddings": [each["embedding"] for each in answers]})


def _embed(request: web.Request, parsed: dict[str, Any]) -> dict[str, Any]:
    model = known_model(request.match_info["model"])
    if parsed.get("model") != f"models/{model}":
        raise invalid(f"The model of each request must be models/{model}.")
    try:
        return {"embedding": embed(parsed)["embedding"]}
    except LineError as error:
        raise invalid(str(error)) from error


async def _answer(request: web.Request) -> dict[str, Any]:
    model = known_model(request.match_info["model"])
    parsed = GENERATE.parse(await read_json(request))
    settings = request.app[STORE].settings
    try:
        return generate(model, parsed, settings.answer_bytes) | settings.answer
    except LineError as error:
        raise invalid(str(error)) from error


async def count_tokens(request: web.Request) -> web.Response:
    allow_query(request)
    known_model(request.match_info["model"])
    parsed = COUNT.parse(await read_json(request))
    if len(parsed.keys() - {"model"}) != 1:
        raise invalid("One of contents and generateContentRequest is to be given.")
    return web.json_response({"totalTokens": token_count(parsed)})
