"""The end of the chain: the operation carries itself out at the provider."""

from aiohttp import web

from middlewares.operations import Relayed
from middlewares.request_keys import CALLER, GATEWAY, OPERATION, OUTCOME, PROVIDER, ROUTE
from providers.credential_proof import CredentialProof


async def forward(request: web.Request) -> web.StreamResponse:
    """A response that carries the outcome, without a body; `response_rewrite` renders it."""
    response = web.Response()
    with _proof(request).open():
        response[OUTCOME] = await request[OPERATION].carry_out(request[PROVIDER], request[CALLER])
    return response


def _proof(request: web.Request) -> CredentialProof:
    known, caller = request.app[GATEWAY].known_credentials, request[CALLER]
    # Google answers calls without a version, such as the description of its API, to everybody.
    public = isinstance(request[OPERATION], Relayed) and not request[ROUTE].version
    return CredentialProof(known, caller, public=public)
