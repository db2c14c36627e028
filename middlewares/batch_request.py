"""Reads the creation of a batch into its operation, field by field (gemini.md section 6)."""

import hashlib
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import Any, Final

from aiohttp import web

from middlewares import operations as op
from middlewares.capabilities import BATCHES
from middlewares.ferry_headers import IDEMPOTENCY_KEY, check_cache_header
from middlewares.file_uris import file_of_uri
from middlewares.header_text import header_text
from middlewares.inbound_body import read_whole
from middlewares.provider_resolution import check_file_owner
from middlewares.request_keys import GATEWAY, INPUT_FILE, PROVIDER, ROUTE, Parse
from middlewares.request_rewrite import read_inline, relayed
from providers.body import in_memory
from providers.errors import FerryError, invalid_argument
from providers.gemini_content.normalise import BESIDE_REQUEST, refuse_beside_request
from providers.json_api.json_text import parse_clients_object, render_compact
from providers.json_api.path_names import check_path_name
from providers.json_api.read_in_memory import read_in_memory
from providers.json_api.unknown_members import unknown_member
from providers.limits import DISPLAY_NAME, INSPECTED_BODY
from providers.prompt_cache import CACHE_HEADER
from providers.resource_names import file_id_of_uri
from providers.resources import (
    BatchKind,
    FileOfUri,
    InlineRequest,
    NewBatch,
    any_file,
)

_CAMEL: Final = {
    "display_name": "displayName",
    "input_config": "inputConfig",
    "file_name": "fileName",
    "webhook_config": "webhookConfig",
}
_NOT_SUPPORTED: Final = "this provider does not support this field; leave it out"
_INLINE: Final = frozenset({"request", "metadata"})
_BATCH: Final = frozenset(
    {"displayName", "inputConfig", "model", "name", "webhookConfig", "priority"}
)


def new_batch(kind: BatchKind) -> Parse:
    """Reads the creation of a batch of that kind."""

    async def parse(request: web.Request) -> op.Operation:
        gateway, provider, model = request.app[GATEWAY], request[PROVIDER], request[ROUTE].name
        check_path_name(model, None, "model")
        if kind is BatchKind.GENERATE:
            check_cache_header(request)
        if provider.batches is None:
            return await _relayed_batch(request)
        data = await read_inline(request)
        key = header_text(request.headers.get(IDEMPOTENCY_KEY, ""))
        uris = file_of_uri(request)
        parse = partial(parse_new_batch, data, model, kind, key or None, uris)
        batch = await read_in_memory(gateway.memory, data, parse)
        batch = replace(batch, fingerprint=_fingerprint(batch.fingerprint, request))
        if isinstance(batch.source, str):
            check_file_owner(gateway, provider, batch.source, "batch.inputConfig.fileName")
            request[INPUT_FILE] = f"files/{batch.source}"
        return op.CreateBatch(batch)

    return parse


def _fingerprint(of_body: str, request: web.Request) -> str:
    """With the header that changes what is made of the body."""
    cache = header_text(request.headers.get(CACHE_HEADER, ""))
    return hashlib.sha256(f"{of_body} {cache}".encode()).hexdigest() if cache else of_body


async def _relayed_batch(request: web.Request) -> op.Relayed:
    """Refuses a creation that names another provider's file, and says whose file it is."""
    operation = await relayed(request, BATCHES)
    if "Content-Encoding" in request.headers or not (
        0 < (request.content_length or 0) <= INSPECTED_BODY
    ):
        return operation
    data = await read_whole(request, INSPECTED_BODY, "the inspected size")
    file_id = input_file_id(data)
    if file_id is not None:
        path = "batch.inputConfig.fileName"
        check_file_owner(request.app[GATEWAY], request[PROVIDER], file_id, path)
    return op.Relayed(replace(operation.request, body=in_memory(data)))


def parse_new_batch(
    data: bytes,
    model: str,
    kind: BatchKind,
    idempotency_key: str | None,
    uris: FileOfUri,
) -> NewBatch:
    """Refuses every field that cannot be translated, with its JSON path."""
    batch, path = _members(parse_clients_object(data), "", {"batch"})["batch"]
    members = _members(batch, path, _BATCH)
    for name in ("webhookConfig", "name"):
        value, where = members[name]
        if value:
            raise invalid_argument(_NOT_SUPPORTED, path=where)
    priority, where = members["priority"]
    if priority not in (None, 0, "0", ""):
        raise invalid_argument(_NOT_SUPPORTED, path=where)
    model = _model(model, members["model"][0])
    return NewBatch(
        model=model,
        kind=kind,
        source=_source(*members["inputConfig"]),
        display_name=_display_name(*members["displayName"]),
        idempotency_key=idempotency_key,
        fingerprint=hashlib.sha256(b"\0".join([kind.encode(), model.encode(), data])).hexdigest(),
        file_of_uri=uris,
    )


def input_file_id(data: bytes) -> str | None:
    """The id of the input file, or None if the creation is invalid or has no input file."""
    try:
        batch = parse_new_batch(data, "", BatchKind.GENERATE, None, any_file)
    except FerryError:
        return None
    return batch.source if isinstance(batch.source, str) else None


def _model(called: str, named: object) -> str:
    model = called.removeprefix("models/")
    if named not in (None, "", called, model, f"models/{model}"):
        raise invalid_argument("differs from the model in the URL", path="batch.model")
    return model


def _source(value: object, path: str) -> list[InlineRequest] | str:
    members = _members(value, path, {"fileName", "requests"})
    (file_name, file_path), (requests, requests_path) = members["fileName"], members["requests"]
    if (file_name is None) == (requests is None):
        raise invalid_argument("give either fileName or requests", path=path)
    if requests is None:
        return _file_id(file_name, file_path)
    listed, path = _members(requests, requests_path, {"requests"})["requests"]
    if isinstance(listed, dict):  # a lone object, as in `normalise`
        listed = [listed]
    if not isinstance(listed, list) or not listed:
        raise invalid_argument("must be a list of at least one request", path=path)
    inline = []
    for index, item in enumerate(listed):
        inline.append(_inline(item, f"{path}[{index}]"))
        listed[index] = None  # frees the memory of the parsed request
    return inline


def _file_id(value: object, path: str) -> str:
    found = file_id_of_uri(value) if isinstance(value, str) else None
    if found is None:
        raise invalid_argument("not the name of a file (files/...)", path=path)
    return found


def _inline(value: object, path: str) -> InlineRequest:
    if isinstance(value, dict) and "key" in value:
        raise invalid_argument("an inline request has no key; use metadata", path=f"{path}.key")
    whole = _with_what_is_beside(_object(value, path), path)
    refuse_beside_request(whole, _INLINE, f"{path}.")
    members = _members(whole, path, _INLINE)
    request, request_path = members["request"]
    if request is None:
        raise invalid_argument("is missing", path=request_path)
    return InlineRequest(render_compact(request), _metadata(*members["metadata"]), request_path)


def _with_what_is_beside(inline: dict[str, Any], path: str) -> dict[str, Any]:
    """An inline request with what the SDKs of 2025 wrote beside it."""
    beside, request = BESIDE_REQUEST & inline.keys(), inline.get("request")
    if not beside or not isinstance(request, dict):
        return inline
    if twice := beside & request.keys():
        raise invalid_argument("is in request too", path=f"{path}.{min(twice)}")
    moved = {name: value for name, value in inline.items() if name in beside}
    rest = {name: value for name, value in inline.items() if name not in beside}
    return {**rest, "request": {**request, **moved}}


def _metadata(value: object, path: str) -> bytes:
    if value is None:
        return b"null"
    metadata = _object(value, path)
    for key, item in metadata.items():
        # SDKs reject the whole response if a value is not a string (sdk-wire.md section 3).
        if not isinstance(item, str):
            raise invalid_argument("metadata values must be strings", path=f"{path}.{key}")
    return render_compact(metadata)


def _object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid_argument("must be a JSON object", path=path)
    return value


def _members(value: object, path: str, known: Collection[str]) -> dict[str, tuple[Any, str]]:
    """The known members by their camelCase names, each with its path as the client spelled it.

    Those that are not given are None. Refuses an unknown member, or one that is given twice.
    """
    prefix = f"{path}." if path else ""
    found: dict[str, tuple[Any, str]] = {}
    for key, item in _object(value, path).items():
        name = _CAMEL.get(key, key)
        if name not in known:
            raise unknown_member(key, known, f"{prefix}{key}")
        if name in found:
            raise invalid_argument("given in both spellings", path=f"{prefix}{key}")
        found[name] = (item, f"{prefix}{key}")
    return {name: (None, f"{prefix}{name}") for name in known} | found


def _display_name(value: object, path: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise invalid_argument("not a string", path=path)
    if value and len(value) > DISPLAY_NAME:
        raise invalid_argument(f"has at most {DISPLAY_NAME} characters", path=path)
    return value or None
