"""Fifth step: reads the Gemini-shaped request into one typed operation."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Final

from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from middlewares import operations as op
from middlewares.capabilities import CAPABILITIES, FILES, RELAY, Capability
from middlewares.ferry_headers import parse_result_form
from middlewares.header_text import header_text
from middlewares.inbound_body import inbound_body, read_whole
from middlewares.paths import effective_method
from middlewares.relayed_families import refuse_family
from middlewares.request_keys import (
    CALLER,
    GATEWAY,
    MEMORY,
    OBSERVATION,
    OPERATION,
    PROVIDER,
    ROUTE,
    Handler,
    Parse,
)
from providers.errors import FerryError, invalid_argument, unimplemented
from providers.fair_shares import SHARE_USER, ShareUser
from providers.limits import PAGE_ITEMS, PAGE_SIZE_DIGITS
from providers.provider import Provider, RelayedRequest

_PAGE_SIZE: Final = 10
_PATH_SHOWN: Final = 120


@web.middleware
async def request_rewrite(request: web.Request, handler: Handler) -> web.StreamResponse:
    _observe(request)
    SHARE_USER.set(ShareUser(request[CALLER].known_as))
    with ExitStack() as memory:
        request[MEMORY] = memory
        _check_alt(request)
        request[OPERATION] = await request[ROUTE].call.parse(request)
        return await handler(request)


def _observe(request: web.Request) -> None:
    seen, route = request[OBSERVATION], request[ROUTE]
    seen.provider, seen.operation = request[PROVIDER].name, route.call.name
    seen.model = route.name if route.collection == "models" else ""
    seen.resolved = True
    request.app[GATEWAY].observer.resolved(seen)


def _check_alt(request: web.Request) -> None:
    """Raises INVALID_ARGUMENT for a form of the answer that the call does not have."""
    known = request[ROUTE].call.alt
    if not known or RELAY.of(request[PROVIDER]) is not None:
        return
    if any(form not in known for form in request.query.getall("alt", [])):
        raise invalid_argument(f"must be {' or '.join(known)}", path="alt")


def named(capability: Capability[object], operation: Callable[[str], op.Operation]) -> Parse:
    """Reads a call on one resource. Without the capability, the request is relayed."""

    async def parse(request: web.Request) -> op.Operation:
        if capability.of(request[PROVIDER]) is None:
            return await relayed(request, capability)
        return operation(request[ROUTE].name)

    return parse


def paged(
    capability: Capability[object],
    operation: Callable[[int, str | None], op.Operation],
    usual_size: int = _PAGE_SIZE,
) -> Parse:
    """Reads a list call. Without the capability, the request is relayed."""

    async def parse(request: web.Request) -> op.Operation:
        if capability.of(request[PROVIDER]) is None:
            return await relayed(request, capability)
        query = request.query
        text = query.get("pageSize") or query.get("page_size") or str(usual_size)
        if not (text.isascii() and text.isdigit() and len(text) <= PAGE_SIZE_DIGITS):
            raise invalid_argument(f"{text[:40]!r} is not a page size", path="pageSize")
        if query.get("filter"):
            raise invalid_argument("this proxy cannot filter lists", path="filter")
        token = query.get("pageToken") or query.get("page_token")
        return operation(min(int(text) or usual_size, PAGE_ITEMS), token or None)

    return parse


async def download_file(request: web.Request) -> op.Operation:
    form = parse_result_form(request)
    if request[PROVIDER].files is None:
        return await relayed(request, FILES)
    return op.DownloadFile(request[ROUTE].name, form)


async def read_inline(request: web.Request) -> bytes:
    limit = request.app[GATEWAY].inline_max_bytes
    return await read_whole(request, limit, "FERRY_INLINE_MAX_BYTES")


async def relayed(
    request: web.Request,
    missing: Capability[object] | None = None,
    timing: op.Timing = op.Timing.RELAYED,
) -> op.Relayed:
    """Raises UNIMPLEMENTED unless the provider speaks Gemini's protocol.

    `missing` is the capability that would serve the call otherwise.
    """
    if RELAY.of(request[PROVIDER]) is None:
        raise _unsupported(request, missing)
    method, path = effective_method(request.method), request[ROUTE].target
    target = URL(f"/{path}{_query(request)}", encoded=True)
    headers = CIMultiDict((name, header_text(value)) for name, value in request.headers.items())
    body = inbound_body(request) if request.body_exists else None
    return op.Relayed(RelayedRequest(method, target, headers, body), timing)


def _query(request: web.Request) -> str:
    """The query without the key, which is sent like every credential."""
    pairs = request.rel_url.raw_query_string.split("&")
    kept = "&".join(pair for pair in pairs if pair and not pair.startswith("key="))
    return f"?{kept}" if kept else ""


def _unsupported(request: web.Request, missing: Capability[object] | None) -> FerryError:
    """Says which call is not supported, what works instead, and where it works."""
    provider, gateway = request[PROVIDER], request.app[GATEWAY]
    relaying = [each.name for each in gateway.providers.values() if RELAY.of(each) is not None]
    of_family = refuse_family(request[ROUTE].target, provider.name, relaying)
    if of_family is not None:
        return of_family
    working = [each.name for each in CAPABILITIES if each.of(provider) is not None]
    target = request[ROUTE].target[:_PATH_SHOWN] or "without a path"
    return unimplemented(
        f"{effective_method(request.method)} {target} is not supported for {provider.name}: only "
        f"{_listed(working)} work{'s' if len(working) == 1 else ''} with {provider.name}"
        f"{_elsewhere(gateway.providers.values(), missing)}"
    )


def _elsewhere(providers: Iterable[Provider], missing: Capability[object] | None) -> str:
    """Says which providers have what is missing here."""
    if missing is None:
        return ""
    having = sorted(each.name for each in providers if missing.of(each) or RELAY.of(each))
    return f"; {missing.name} works with {_listed(having)}" if having else ""


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
