"""Reads a single request to a model into its operation."""

from aiohttp import web

from middlewares import operations as op
from middlewares import outcomes
from middlewares.capabilities import PROMPTS, TOKENS
from middlewares.ferry_headers import check_cache_header
from middlewares.file_uris import file_of_uri
from middlewares.request_keys import PROVIDER, ROUTE
from middlewares.request_rewrite import read_inline, relayed
from providers.json_api.path_names import check_path_name
from providers.resources import Prompt


async def generate(request: web.Request) -> op.Operation:
    check_cache_header(request)
    if PROMPTS.of(request[PROVIDER]) is None:
        return await relayed(request, PROMPTS, op.Timing.ANSWERED)
    return op.Generate(await _prompt(request))


async def stream(request: web.Request) -> op.Operation:
    check_cache_header(request)
    if PROMPTS.of(request[PROVIDER]) is None:
        return await relayed(request, PROMPTS, op.Timing.ANSWERED)
    form = outcomes.StreamForm(request.query.get("alt", outcomes.StreamForm.LIST))
    return op.Stream(await _prompt(request), form)


async def count_tokens(request: web.Request) -> op.Operation:
    if TOKENS.of(request[PROVIDER]) is None:
        return await relayed(request, TOKENS)
    return op.CountTokens(await _prompt(request))


async def _prompt(request: web.Request) -> Prompt:
    model = request[ROUTE].name
    check_path_name(model, None, "model")
    return Prompt(model, await read_inline(request), file_of_uri(request))
