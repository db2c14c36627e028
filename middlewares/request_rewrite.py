"""Fifth step: reads the Gemini-shaped request into one typed operation."""

from collections.abc import Callable
from contextlib import ExitStack
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
from middlewares.paths import effective_method
from middlewares.provider_resolution import check_file_owner
from middlewares.request_keys import (
    GATEWAY,
    INPUT_FILE,
    MEMORY,
    OPERATION,
    PROVIDER,
    ROUTE,
    SESSION,
    Handler,
    Parse,
)
from middlewares.upload_request import (
    Protocol,
    commands,
    parse_command,
    parse_start,
    raw_start,
    upload_protocol,
)
from providers.body import in_memory
from providers.errors import FerryError, invalid_argument, unimplemented
from providers.json_api.path_names import check_path_name
from providers.provider import RelayedRequest
from providers.resources import BatchKind

_PAGE_SIZE: Final = 10
_PAGE_SIZE_LIMIT: Final = 100
# The received text, and the text of each request that is cut out of it.
_COPIES_IN_MEMORY: Final = 2
# A relayed creation of a batch from a file is smaller; larger ones are relayed unread.
_INSPECTED_BYTES: Final = 16 << 10
_PATH_LIMIT: Final = 120


@web.middleware
async def request_rewrite(request: web.Request, handler: Handler) -> web.StreamResponse:
    refuse_transfer_codings(request)
    with ExitStack() as memory:
        request[MEMORY] = memory
        request[OPERATION] = await request[ROUTE].call.parse(request)
        return await handler(request)


# --- files and batches ---------------------------------------------------------------------------


def named(capability: op.Capability[object], operation: Callable[[str], op.Operation]) -> Parse:
    """Reads a call on one resource. Without the capability, the request is relayed."""

    async def parse(request: web.Request) -> op.Operation:
        if capability.of(request[PROVIDER]) is None:
            return await relayed(request)
        return operation(request[ROUTE].name)

    return parse


def paged(
    capability: op.Capability[object], operation: Callable[[int, str | None], op.Operation]
) -> Parse:
    """Reads a list call. Without the capability, the request is relayed."""

    async def parse(request: web.Request) -> op.Operation:
        if capability.of(request[PROVIDER]) is None:
            return await relayed(request)
        query = request.query
        text = query.get("pageSize") or query.get("page_size") or str(_PAGE_SIZE)
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise invalid_argument(f"{text[:40]!r} is not a page size", path="pageSize")
        if query.get("filter"):
            raise invalid_argument("this proxy cannot filter lists", path="filter")
        token = query.get("pageToken") or query.get("page_token")
        return operation(min(int(text) or _PAGE_SIZE, _PAGE_SIZE_LIMIT), token or None)

    return parse


async def download_file(request: web.Request) -> op.Operation:
    form = parse_result_form(request)
    if request[PROVIDER].files is None:
        return await relayed(request)
    return op.DownloadFile(request[ROUTE].name, form)


def new_batch(kind: BatchKind) -> Parse:
    """Reads the creation of a batch of that kind."""

    async def parse(request: web.Request) -> op.Operation:
        gateway, provider, model = request.app[GATEWAY], request[PROVIDER], request[ROUTE].name
        check_path_name(model, None, "model")
        if provider.batches is None:
            return await _relayed_batch(request)
        limit = gateway.inline_max_bytes
        size = limit if request.content_length is None else min(request.content_length, limit)
        request[MEMORY].enter_context(gateway.memory.reserve(size * _COPIES_IN_MEMORY))
        data = await read_whole(request, limit, "FERRY_INLINE_MAX_BYTES")
        key = header_text(request.headers.get(IDEMPOTENCY_KEY, ""))
        check = partial(check_file_owner, gateway, provider)
        batch = parse_new_batch(data, model, kind, key or None, check)
        if isinstance(batch.source, str):
            check(batch.source, "batch.inputConfig.fileName")
            request[INPUT_FILE] = f"files/{batch.source}"
        return op.CreateBatch(batch)

    return parse


async def _relayed_batch(request: web.Request) -> op.Relayed:
    """Refuses a creation that names another provider's file, and says whose file it is."""
    operation = await relayed(request)
    if "Content-Encoding" in request.headers or not (
        0 < (request.content_length or 0) <= _INSPECTED_BYTES
    ):
        return operation
    data = await read_whole(request, _INSPECTED_BYTES, "the inspected size")
    file_id = input_file_id(data)
    if file_id is not None:
        path = "batch.inputConfig.fileName"
        check_file_owner(request.app[GATEWAY], request[PROVIDER], file_id, path)
    return op.Relayed(replace(operation.request, body=in_memory(data)))


# --- uploads -------------------------------------------------------------------------------------


async def upload(request: web.Request) -> op.Operation:
    provider, version, gateway = request[PROVIDER], request[ROUTE].version, request.app[GATEWAY]
    session = request.get(SESSION)
    if session is not None:
        operation = parse_command(request, session)
        if isinstance(operation, op.SendChunk) and operation.chunk.finalize:
            # Raises before anything is created: the answer contains the proxy's address.
            gateway.public_address.of(request)
        return operation
    protocol = upload_protocol(request)
    expiry = parse_expiry(request, provider)
    if protocol is Protocol.RESUMABLE:
        address = gateway.public_address.of(request)
        start = await parse_start(request, version, strict=provider.relay is None)
        return op.StartUpload(gateway.upload_urls, address, replace(start, expires_after=expiry))
    if provider.files is None:
        return await relayed(request)
    refuse_encoded(request)
    gateway.public_address.of(request)
    if protocol is Protocol.RAW:
        start, body = raw_start(request, version), inbound_body(request)
    else:
        start, body = await parse_multipart(request, version)
    session_id = gateway.upload_urls.new_session()
    return op.CreateFile(session_id, replace(start, expires_after=expiry), body)


async def upload_elsewhere(request: web.Request) -> op.Operation:
    """A start gets an upload URL of the proxy, so that the bytes pass through it too."""
    operation = await relayed(request)
    parse_expiry(request, request[PROVIDER])  # a wrong value is refused here too
    if commands(request) != ["start"]:
        return operation
    gateway, route = request.app[GATEWAY], request[ROUTE]
    address = gateway.public_address.of(request)
    start = await parse_start(request, route.version, strict=False)
    return op.StartUpload(gateway.upload_urls, address, replace(start, resource=route.name))


# --- everything else -----------------------------------------------------------------------------


async def relayed(request: web.Request) -> op.Relayed:
    """Raises UNIMPLEMENTED unless the provider speaks Gemini's protocol."""
    if op.RELAY.of(request[PROVIDER]) is None:
        raise _unsupported(request)
    method, path = effective_method(request.method), request[ROUTE].target
    target = URL(f"/{path}{_query(request)}", encoded=True)
    headers = CIMultiDict((name, header_text(value)) for name, value in request.headers.items())
    body = inbound_body(request) if request.body_exists else None
    return op.Relayed(RelayedRequest(method, target, headers, body))


def _query(request: web.Request) -> str:
    """The query without the key, which is sent like every credential."""
    pairs = request.rel_url.raw_query_string.split("&")
    kept = "&".join(pair for pair in pairs if pair and not pair.startswith("key="))
    return f"?{kept}" if kept else ""


def _unsupported(request: web.Request) -> FerryError:
    """Says which call is not supported, and what works instead."""
    provider = request[PROVIDER]
    capabilities: tuple[op.Capability[object], ...] = (op.FILES, op.BATCHES)
    working = [each.name for each in capabilities if each.of(provider) is not None]
    target = request[ROUTE].target[:_PATH_LIMIT] or "without a path"
    return unimplemented(
        f"{effective_method(request.method)} {target} is not supported for {provider.name}: only "
        f"{' and '.join(working)} work{'s' if len(working) == 1 else ''} with {provider.name}"
    )
