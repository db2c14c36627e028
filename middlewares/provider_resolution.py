"""Fourth step: which provider serves the request, and whether it is the one the name belongs to."""

from aiohttp import web

from middlewares.admission import admit
from middlewares.journey import (
    CALLER,
    CREDENTIAL,
    EDGE,
    PROVIDER,
    ROUTE,
    UPLOAD,
    Edge,
    Handler,
)
from middlewares.routes import Call, Route, answered_as
from providers.errors import invalid_argument, not_found, unimplemented
from providers.provider import Provider
from providers.resource_names import decode_file_id

_NAMED_FILES = (Call.GET_FILE, Call.DELETE_FILE, Call.DOWNLOAD_FILE)
_NAMED_BATCHES = (Call.GET_BATCH, Call.DELETE_BATCH, Call.CANCEL_BATCH)


@web.middleware
async def provider_resolution(request: web.Request, handler: Handler) -> web.StreamResponse:
    edge, route = request.app[EDGE], request[ROUTE]
    upload = request.get(UPLOAD)
    if upload is not None:
        request[PROVIDER] = edge.providers[upload.provider]
        return await handler(request)
    provider = resolve(edge, request.headers.get("x-model-provider"))
    request[PROVIDER] = provider
    admit(request, provider, request[CREDENTIAL])
    if route.call is Call.OTHER and provider.relay is None:
        raise unimplemented(
            f"{answered_as(request.method)} on this path is not served for {provider.name}"
        )
    check_owner(edge, provider, route)
    request[CALLER] = await edge.tenants.caller(provider, request[CREDENTIAL], request.headers)
    return await handler(request)


def resolve(edge: Edge, named: str | None) -> Provider:
    """The provider of that name, without case, `-` and `_` alike; the default for none."""
    name = normalised(named or edge.default_provider)
    provider = edge.providers.get(name)
    if provider is None:
        known = ", ".join(sorted(edge.providers))
        raise invalid_argument(f"unknown x-model-provider {name[:60]!r}; there are: {known}")
    return provider


def normalised(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def check_owner(edge: Edge, provider: Provider, route: Route) -> None:
    """Raises NOT_FOUND, saying whose it is, for a name that is surely another provider's."""
    if route.call in _NAMED_FILES:
        check_file_owner(edge, provider, route.name)
    elif route.call in _NAMED_BATCHES and not provider.names.batches.fullmatch(route.name):
        for other in edge.others(provider):
            if other.names.distinctive and other.names.batches.fullmatch(route.name):
                raise _elsewhere(f"batches/{route.name}", other)


def check_file_owner(edge: Edge, provider: Provider, file_id: str) -> None:
    decoded = decode_file_id(file_id)
    others = [other for other in edge.others(provider) if other.names.distinctive]
    if decoded is None and provider.names.files.fullmatch(file_id):
        return
    native = decoded.native if decoded else file_id
    if _is_own(provider, native):
        return
    for other in others:
        if _is_own(other, native):
            raise _elsewhere(f"files/{file_id}", other)


def _is_own(provider: Provider, native: str) -> bool:
    """A results file's native id is its batch's."""
    names = provider.names
    return names.distinctive and any(
        form.fullmatch(native) for form in (names.files, names.batches)
    )


def _elsewhere(name: str, owner: Provider) -> Exception:
    return not_found(
        f"{name[:120]} is a name of {owner.kind}, which x-model-provider does not name here"
    )
