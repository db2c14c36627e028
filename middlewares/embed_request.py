"""Reads a call for embeddings into its operation."""

from aiohttp import web

from middlewares import operations as op
from middlewares.capabilities import EMBEDDINGS
from middlewares.request_keys import PROVIDER, ROUTE, Parse
from middlewares.request_rewrite import read_inline, relayed
from providers.json_api.path_names import check_path_name
from providers.resources import EmbedForm, EmbedRequest


def embed(form: EmbedForm) -> Parse:
    """Reads a call of that form."""

    async def parse(request: web.Request) -> op.Operation:
        if EMBEDDINGS.of(request[PROVIDER]) is None:
            return await relayed(request, EMBEDDINGS, op.Timing.ANSWERED)
        model = request[ROUTE].name
        check_path_name(model, None, "model")
        return op.Embed(EmbedRequest(model, form, await read_inline(request)))

    return parse
