"""Whether Google accepts a credential, asked with the list of models."""

from typing import Final

from yarl import URL

from providers.credential import Caller
from providers.credential_proof import CredentialCheck
from providers.gemini.headers import started
from providers.gemini.refusal import check
from providers.gemini.relay import below
from providers.upstream import OutboundRequest, Upstream

_MODELS: Final = URL("/v1beta/models?pageSize=1", encoded=True)


def google_check(name: str, base_url: URL, upstream: Upstream) -> CredentialCheck:
    async def ask(caller: Caller) -> None:
        headers = started(caller, {"Accept-Encoding": "identity"})
        request = OutboundRequest("GET", below(base_url, _MODELS), headers)
        async with await upstream.send(request) as reply:
            await check(name, reply)

    return ask
