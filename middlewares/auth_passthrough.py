"""Third step: takes the credential from the request or from the sealed upload URL."""

from aiohttp import web

from middlewares.admission import refuse_plaintext_key
from middlewares.paths import UPLOAD_TAIL
from middlewares.request_keys import (
    CREDENTIAL,
    GATEWAY,
    ROUTE,
    UPLOAD,
    Gateway,
    Handler,
    OpenedUpload,
)
from middlewares.routes import parse_route, parse_upload_url
from middlewares.sealing import SealedUpload
from providers.credential import Credential
from providers.errors import FerryError, not_found, unauthenticated
from providers.provider import Provider
from providers.status import Status
from providers.upload import UploadStatus


@web.middleware
async def auth_passthrough(request: web.Request, handler: Handler) -> web.StreamResponse:
    method, path = request.method, request.app[GATEWAY].public_address.local_path(request)
    token = request.query.get("upload_id")
    upload = parse_upload_url(method, path) if token is not None else None
    route = upload or parse_route(method, path)
    if route is None:
        raise not_found("nothing is served here; the SDK's base_url must end with /genai")
    request[ROUTE] = route
    credential = lift_credential(request)
    if upload is not None and token is not None:
        request[UPLOAD] = await _open(request, request.app[GATEWAY], token, credential)
    elif not credential:
        raise unauthenticated(
            "no key: give the provider's key as the SDK's api_key (x-goog-api-key, ?key= or "
            "Authorization: Bearer)"
        )
    request[CREDENTIAL] = credential
    return await handler(request)


def lift_credential(request: web.Request) -> Credential:
    """The key that the SDK sends (gemini.md section 1). Raises UNAUTHENTICATED if it is invalid."""
    api_key = request.headers.get("x-goog-api-key") or request.query.get("key")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    for secret in (api_key, bearer):
        if secret and not (secret.isascii() and secret.isprintable() and " " not in secret):
            raise unauthenticated("the key contains characters that no provider's key contains")
    return Credential(api_key or None, bearer or None)


async def _open(
    request: web.Request, gateway: Gateway, token: str, credential: Credential
) -> OpenedUpload:
    sealed = gateway.upload_urls.open(token, UPLOAD_TAIL)
    provider = gateway.providers.get(sealed.provider) if sealed else None
    if sealed is None or provider is None:
        raise _unknown()
    if credential:
        refuse_plaintext_key(request, provider)
    if not await _is_open_to(gateway, provider, sealed, credential):
        raise _unknown()
    session = await gateway.upload_urls.session(sealed, provider)
    if session is None:
        raise _unknown()
    return OpenedUpload(sealed.provider, session)


async def _is_open_to(
    gateway: Gateway, provider: Provider, sealed: SealedUpload, credential: Credential
) -> bool:
    """A chunk needs no key, but a key that it does carry must be the tenant's own."""
    if credential:
        return await gateway.tenants.is_key_of(provider, credential, sealed.tenant, sealed.scoping)
    return await gateway.tenants.may_still_use(provider, sealed.tenant, sealed.scoping)


def _unknown() -> FerryError:
    """The same error for every URL that does not open, so that guessing reveals nothing."""
    return FerryError(
        Status.NOT_FOUND,
        "no such upload URL: it is not one of this proxy's, or it was sealed with another "
        "FERRY_SECRET_KEY (replicas need the same one; without one, every restart makes a new one)",
        upload_status=UploadStatus.FINAL,
    )
