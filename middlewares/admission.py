"""Whether a key may come in at all: asked before any body is read."""

from aiohttp import web

from middlewares.journey import EDGE, Edge
from providers.credential import Credential
from providers.errors import FerryError, unauthenticated
from providers.provider import Provider


def admit(request: web.Request, provider: Provider, given: Credential) -> None:
    """Raises UNAUTHENTICATED for a key that is no client token where there must be one, or is for
    another provider, and PERMISSION_DENIED for a secret key that came over a network in the clear.
    """
    edge: Edge = request.app[EDGE]
    refuse_in_the_clear(request, provider)
    edge.tenants.principal(provider, given)
    if provider.own_credential is None:
        _refuse_anothers(edge, provider, given)


def _refuse_anothers(edge: Edge, provider: Provider, given: Credential) -> None:
    """A key goes to no provider that it is surely not for: most often the header is missing."""
    for other in edge.others(provider):
        if other.key_form is None:
            continue
        if any(other.key_form.fullmatch(key) for key in (given.api_key, given.bearer) if key):
            raise unauthenticated(
                f"this is a key for {other.kind}, and {provider.name} is asked: say so in the "
                "header x-model-provider"
            )


def refuse_in_the_clear(request: web.Request, provider: Provider) -> None:
    """For a request with a key at `provider`. The proxy's own secret key is in no request."""
    edge: Edge = request.app[EDGE]
    if not provider.secret_key_travels or provider.own_credential is not None:
        return
    if edge.allow_plaintext_keys or edge.public_address.is_private(request):
        return
    raise FerryError(
        "PERMISSION_DENIED",
        "a secret key came over the network in the clear, so take it for known: give the SDK an "
        "https base_url, served by a proxy in front that FERRY_TRUSTED_PROXIES names and that "
        "says X-Forwarded-Proto: https, or set FERRY_ALLOW_PLAINTEXT_AWS_KEYS=true",
    )
