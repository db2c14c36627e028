"""The end of the chain: the operation carries itself out at the provider."""

from aiohttp import web

from middlewares.ferry_headers import IDEMPOTENCY_KEY
from middlewares.operations import CreateFile, Relayed, StartUpload
from middlewares.outcomes import Outcome
from middlewares.request_keys import (
    CALLER,
    CLIENT,
    GATEWAY,
    OPERATION,
    OUTCOME,
    PROVIDER,
    ROUTE,
    SESSION,
)
from middlewares.timing import in_time
from providers.credential_proof import CredentialProof


async def forward(request: web.Request) -> web.StreamResponse:
    """A response that carries the outcome, without a body; `response_rewrite` renders it."""
    response = web.Response()
    response[OUTCOME] = await in_time(request, _carry_out)
    return response


async def _carry_out(request: web.Request) -> Outcome:
    provider = request[PROVIDER]
    if SESSION not in request and (provider.keeps_state or IDEMPOTENCY_KEY in request.headers):
        admission, caller = request.app[GATEWAY].admission, request[CALLER]
        request[CALLER] = await admission.with_tenant(provider, request[CLIENT], caller)
    with _proof(request).open():
        return await request[OPERATION].carry_out(provider, request[CALLER])


def _proof(request: web.Request) -> CredentialProof:
    provider, operation = request[PROVIDER], request[OPERATION]
    uploads = isinstance(operation, StartUpload | CreateFile)
    return CredentialProof(
        request.app[GATEWAY].known_credentials,
        request[CALLER],
        provider.upload_check if uploads else provider.batch_check,
        # Google answers calls without a version, such as the description of its API, to everybody.
        public=isinstance(operation, Relayed) and not request[ROUTE].version,
        proven=SESSION in request,
    )
