"""Fifth step: reads the Gemini-shaped request into one typed operation."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Final

from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from middlewares import operations as op
from middlewares.batch_request import input_file_id, parse_new_batch
from middlewares.ferry_headers import IDEMPOTENCY_KEY, parse_expiry, parse_result_form
from middlewares.header_text import header_text
from middlewares.inbound_body import (
    inbound_body,
    read_whole,
    refuse_encoded,
    refuse_transfer_codings,
)
from middlewares.multipart_related import parse_multipart
from middlewares.provider_resolution import check_file_owner
from middlewares.request_keys import (
    GATEWAY,
    OPERATION,
    PROVIDER,
    ROUTE,
    UPLOAD,
    Gateway,
    Handler,
)
from middlewares.routes import Call, Route, effective_method
from middlewares.unsupported_call import unsupported_call
from middlewares.upload_request import (
    Protocol,
    commands,
    parse_command,
    parse_start,
    raw_start,
    upload_protocol,
)
from providers.body import in_memory
from providers.errors import invalid_argument
from providers.json_api.path_names import check_path_name
from providers.memory import Reservation
from providers.provider import Provider, RelayedRequest
from providers.resources import BatchKind

_PAGE_SIZE: Final = 10
_PAGE_SIZE_LIMIT: Final = 100
# The received text, and the text of each request that is cut out of it.
_COPIES_IN_MEMORY: Final = 2

_INSPECTED_BYTES: Final = 16 << 10

_BATCH_KINDS: Final = {
    Call.GENERATE_BATCH: BatchKind.GENERATE,
    Call.EMBED_BATCH: BatchKind.EMBED,
}


@web.middleware
async def request_rewrite(request: web.Request, handler: Handler) -> web.StreamResponse:
    refuse_transfer_codings(request)
    with _memory(request):
        request[OPERATION] = await _operation(request)
        return await handler(request)


def _memory(request: web.Request) -> AbstractContextManager[Reservation | None]:
    """An inline body is kept in memory, so its share of the budget is reserved before reading."""
    gateway: Gateway = request.app[GATEWAY]
    if request[ROUTE].call not in _BATCH_KINDS or request[PROVIDER].batches is None:
        return nullcontext()
    length = request.content_length
    size = min(gateway.inline_max_bytes if length is None else length, gateway.inline_max_bytes)
    return gateway.memory.reserve(size * _COPIES_IN_MEMORY)


async def _operation(request: web.Request) -> op.Operation:
    route, provider = request[ROUTE], request[PROVIDER]
    if route.call is Call.UPLOAD:
        return await _upload(request, route, provider)
    if route.call is Call.UPLOAD_ELSEWHERE:
        return await _upload_elsewhere(request, route, provider)
    if route.call in _BATCH_KINDS:
        check_path_name(route.name, None, "model")
    if route.call in _BATCH_KINDS and provider.batches:
        return await _new_batch(request, route, provider)
    if route.call is Call.DOWNLOAD_FILE:
        form = parse_result_form(request)
        if provider.files is not None:
            return op.DownloadFile(route.name, form)
    capability = provider.batches if route.call in _BATCH_CALLS else provider.files
    if capability is not None and route.call is not Call.OTHER:
        return _named(request, route)
    relayed = _relayed(request, route, provider)
    return (
        await _with_checked_owner(request, relayed, provider)
        if _may_name_a_file(request)
        else relayed
    )


def _may_name_a_file(request: web.Request) -> bool:
    """Whether a relayed request may create a batch from a file: its body is small."""
    size = request.content_length or 0
    plain = "Content-Encoding" not in request.headers
    return request[ROUTE].call in _BATCH_KINDS and plain and 0 < size <= _INSPECTED_BYTES


async def _with_checked_owner(
    request: web.Request, relayed: op.Relayed, provider: Provider
) -> op.Relayed:
    """Refuses a creation that names another provider's file, and says whose file it is."""
    data = await read_whole(request, _INSPECTED_BYTES, "the inspected size")
    file_id = input_file_id(data)
    if file_id is not None:
        check_file_owner(request.app[GATEWAY], provider, file_id, "batch.inputConfig.fileName")
    return op.Relayed(replace(relayed.request, body=in_memory(data)))


async def _upload(request: web.Request, route: Route, provider: Provider) -> op.Operation:
    if request.get(UPLOAD) is not None:
        return parse_command(request)
    protocol = upload_protocol(request)
    expiry = parse_expiry(request, provider)
    session = request.app[GATEWAY].upload_urls.new_session()
    if protocol is Protocol.RESUMABLE:
        start = await parse_start(request, route.version, strict=provider.relay is None)
        return op.StartUpload(session, replace(start, expires_after=expiry))
    if provider.files is None:
        return _relayed(request, route, provider)
    refuse_encoded(request)
    if protocol is Protocol.RAW:
        start, body = raw_start(request, route.version), inbound_body(request)
    else:
        start, body = await parse_multipart(request, route.version)
    return op.CreateFile(session, replace(start, expires_after=expiry), body)


async def _upload_elsewhere(
    request: web.Request, route: Route, provider: Provider
) -> op.StartUpload | op.Relayed:
    """A start gets an upload URL of the proxy, so that the bytes pass through it too."""
    parse_expiry(request, provider)  # a wrong value is refused here too
    if commands(request) != ["start"]:
        return _relayed(request, route, provider)
    session = request.app[GATEWAY].upload_urls.new_session()
    start = await parse_start(request, route.version, strict=False)
    return op.StartUpload(session, replace(start, resource=route.name))


async def _new_batch(request: web.Request, route: Route, provider: Provider) -> op.CreateBatch:
    gateway = request.app[GATEWAY]
    data = await read_whole(request, gateway.inline_max_bytes, "FERRY_INLINE_MAX_BYTES")
    key = header_text(request.headers.get(IDEMPOTENCY_KEY, ""))
    check = partial(check_file_owner, gateway, provider)
    batch = parse_new_batch(data, route.name, _BATCH_KINDS[route.call], key or None, check)
    if isinstance(batch.source, str):
        check(batch.source, "batch.inputConfig.fileName")
    return op.CreateBatch(batch)


_BATCH_CALLS: Final = frozenset(
    {
        Call.GENERATE_BATCH,
        Call.EMBED_BATCH,
        Call.LIST_BATCHES,
        Call.GET_BATCH,
        Call.DELETE_BATCH,
        Call.CANCEL_BATCH,
    }
)


def _named(request: web.Request, route: Route) -> op.Operation:
    match route.call:
        case Call.LIST_FILES:
            return op.ListFiles(*_page(request))
        case Call.LIST_BATCHES:
            return op.ListBatches(*_page(request))
        case Call.GET_FILE:
            return op.GetFile(route.name)
        case Call.DELETE_FILE:
            return op.DeleteFile(route.name)
        case Call.GET_BATCH:
            return op.GetBatch(route.name)
        case Call.CANCEL_BATCH:
            return op.CancelBatch(route.name)
        case Call.DELETE_BATCH:
            return op.DeleteBatch(route.name)
        case other:
            raise AssertionError(f"not a call on a named resource: {other}")


def _page(request: web.Request) -> tuple[int, str | None]:
    text = request.query.get("pageSize") or request.query.get("page_size") or str(_PAGE_SIZE)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid_argument(f"{text[:40]!r} is not a page size", path="pageSize")
    if request.query.get("filter"):
        raise invalid_argument("this proxy cannot filter lists", path="filter")
    token = request.query.get("pageToken") or request.query.get("page_token")
    return min(int(text) or _PAGE_SIZE, _PAGE_SIZE_LIMIT), token or None


def _relayed(request: web.Request, route: Route, provider: Provider) -> op.Relayed:
    if provider.relay is None:
        raise unsupported_call(request, provider)
    target = URL(f"/{route.target}{_query(request)}", encoded=True)
    headers = CIMultiDict((name, header_text(value)) for name, value in request.headers.items())
    body = inbound_body(request) if request.body_exists else None
    return op.Relayed(RelayedRequest(effective_method(request.method), target, headers, body))


def _query(request: web.Request) -> str:
    """The query without the key, which is sent like every credential."""
    pairs = request.rel_url.raw_query_string.split("&")
    kept = "&".join(pair for pair in pairs if pair and not pair.startswith("key="))
    return f"?{kept}" if kept else ""
