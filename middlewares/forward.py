"""The end of the chain: the operation carries itself out at the provider."""

from aiohttp import web

from middlewares.request_keys import CALLER, OPERATION, OUTCOME, PROVIDER


async def forward(request: web.Request) -> web.StreamResponse:
    """A response that carries the outcome, without a body; `response_rewrite` renders it."""
    response = web.Response()
    response[OUTCOME] = await request[OPERATION].carry_out(request[PROVIDER], request[CALLER])
    return response
