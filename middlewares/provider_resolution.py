"""Fourth step: finds the request's provider, and checks that a named resource can belong to it."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from middlewares.admission import unknown_upload_url
from middlewares.ferry_headers import check_ferry_headers
from middlewares.request_keys import (
    CALLER,
    CLIENT,
    CREDENTIAL,
    GATEWAY,
    PROVIDER,
    ROUTE,
    SESSION,
    UPLOAD_URL,
    Gateway,
    Handler,
    Route,
)
from providers.credential import Caller, Credential
from providers.errors import FerryError, invalid_argument, not_found
from providers.provider import NameForms, Provider
from providers.resource_names import check_length, decode_letter

_SHORTER_THAN_KEYS: Final = 20


@web.middleware
async def provider_resolution(request: web.Request, handler: Handler) -> web.StreamResponse:
    gateway, given, sealed = request.app[GATEWAY], request[CREDENTIAL], request.get(UPLOAD_URL)
    if sealed is not None:
        provider = gateway.providers.get(sealed.provider)
        if provider is None:
            raise unknown_upload_url()
        request[PROVIDER] = provider
        session, request[CLIENT] = await gateway.admission.reopen(request, provider, sealed, given)
        request[SESSION] = session
        caller = Caller(Credential(), session.tenant, identity=sealed.identity)
        request[CALLER] = session.caller or caller
        return await handler(request)
    provider = request[PROVIDER] = resolve(gateway, request.headers.get("x-model-provider"))
    client = request[CLIENT] = gateway.admission.check(request, provider, given)
    client.check_provider(provider.name)
    client.count_call()
    check_ferry_headers(request)
    check_owner(gateway, provider, request[ROUTE])
    request[CALLER] = gateway.admission.identify(provider, client, given, request.headers)
    return await handler(request)


def resolve(gateway: Gateway, named: str | None) -> Provider:
    """The provider with that name, or the default. Case is ignored, and `_` equals `-`."""
    name = normalised(named or gateway.default_provider)
    provider = gateway.providers.get(name)
    if provider is None:
        known = ", ".join(sorted(gateway.providers))
        # A long value may be a key that was put in the wrong header.
        shown = repr(name) if len(name) < _SHORTER_THAN_KEYS else "(too long to be shown)"
        raise invalid_argument(f"unknown x-model-provider {shown}; known: {known}")
    return provider


def normalised(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def check_owner(gateway: Gateway, provider: Provider, route: Route) -> None:
    """Raises NOT_FOUND, with the owner's name, for a name that clearly is another provider's."""
    check_length(route.name)
    if route.collection == "files":
        check_file_owner(gateway, provider, route.name)
    elif route.collection == "batches" and not provider.names.batches.fullmatch(route.name):
        owners = [
            other
            for other in gateway.others(provider)
            if other.names.distinctive and other.names.batches.fullmatch(route.name)
        ]
        if owners:
            raise elsewhere(f"batches/{route.name}", owners)


def check_file_owner(
    gateway: Gateway, provider: Provider, file_id: str, path: str | None = None
) -> None:
    """Raises NOT_FOUND for a file's id as `check_owner` does; `path` is its JSON path."""
    check_length(file_id, path)
    made = decode_letter(file_id)
    letter, native = made or ("", file_id)
    own = provider.names
    if own.has_letter(letter, native) or _is_distinctive(own, native):
        return
    if own.files.fullmatch(file_id) and made is None:
        return
    # If the provider's own ids look like the proxy's, only a native id proves the owner.
    letters_tell = not own.files.fullmatch(file_id)
    owners = [
        other
        for other in gateway.others(provider)
        if _is_distinctive(other.names, native)
        or (letters_tell and other.names.has_letter(letter, native))
    ]
    if owners:
        raise elsewhere(f"files/{file_id}", owners, path)


def _is_distinctive(names: NameForms, native: str) -> bool:
    """Whether a native id clearly is of this kind. A results file has the id of its batch."""
    return names.distinctive and any(
        form.fullmatch(native) for form in (names.files, names.batches)
    )


def elsewhere(name: str, owners: Sequence[Provider], path: str | None = None) -> FerryError:
    kinds = " or ".join(owner.kind for owner in owners)
    return not_found(
        f"{name[:120]} belongs to {kinds}, but x-model-provider names another provider", path=path
    )
