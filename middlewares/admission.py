"""Admission: decides by the key, before any body is read, whether a request is accepted."""

from aiohttp import web

from middlewares.request_keys import GATEWAY, Gateway
from providers.credential import Credential
from providers.errors import FerryError, unauthenticated
from providers.provider import Provider
from providers.status import Status


def admit(request: web.Request, provider: Provider, given: Credential) -> None:
    """Raises UNAUTHENTICATED or PERMISSION_DENIED for a key that must not be used.

    UNAUTHENTICATED: a client token is required and the key is not one, or the client named no
    provider and the key looks like another provider's. PERMISSION_DENIED: a secret key crossed a
    network without encryption.
    """
    gateway: Gateway = request.app[GATEWAY]
    refuse_plaintext_key(request, provider)
    gateway.tenants.principal(provider, given)
    if provider.own_credential is None and not request.headers.get("x-model-provider"):
        for key in filter(None, (given.api_key, given.bearer)):
            _refuse_misdirected(gateway, provider, key)


def _refuse_misdirected(gateway: Gateway, provider: Provider, key: str) -> None:
    """Without the header, a key that clearly belongs to another provider is not sent anywhere."""
    if any(known.form.fullmatch(key) for known in provider.key_forms):
        return
    for other in gateway.others(provider):
        found = next((known for known in other.key_forms if known.form.fullmatch(key)), None)
        if found is None:
            continue
        names = sorted(p.name for p in gateway.providers.values() if p.kind == other.kind)
        raise unauthenticated(
            f"this looks like {found.what}, but without the header x-model-provider the request "
            f"goes to {provider.name}: set x-model-provider to {' or '.join(names)}"
        )


def refuse_plaintext_key(request: web.Request, provider: Provider) -> None:
    """Refuses a secret key of the caller that crossed a network without encryption.

    Requests never contain the proxy's own secret key.
    """
    gateway: Gateway = request.app[GATEWAY]
    if not provider.secret_key_travels or provider.own_credential is not None:
        return
    setting = gateway.plaintext_keys_setting
    if setting is None or gateway.public_address.is_protected(request):
        return
    raise FerryError(
        Status.PERMISSION_DENIED,
        "a secret key crossed the network without TLS, so treat it as exposed: give the SDK an "
        "https base_url, served by a proxy in front that FERRY_TRUSTED_PROXIES names and that "
        f"sends X-Forwarded-Proto: https, or set {setting}=true",
    )
