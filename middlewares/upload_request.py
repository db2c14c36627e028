"""Reads requests of the upload protocols into operations: starts, commands, whole files."""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from aiohttp import web

from middlewares import operations as op
from middlewares.capabilities import FILES
from middlewares.ferry_headers import parse_expiry
from middlewares.header_text import header_text
from middlewares.inbound_body import inbound_body, read_whole, refuse_encoded
from middlewares.multipart_related import parse_multipart
from middlewares.request_keys import GATEWAY, MEMORY, PROVIDER, ROUTE, SESSION
from middlewares.request_rewrite import relayed
from providers.body import Body
from providers.errors import invalid_argument, unimplemented
from providers.json_api.json_text import parse_clients_object
from providers.limits import SIZE_DIGITS, START_BODY
from providers.upload import Chunk, UploadSession, UploadStart

_FILE_FIELDS: Final = {
    "name": "name",
    "displayName": "display_name",
    "mimeType": "mime_type",
    "sizeBytes": "size_bytes",
}

# The second is curl's default for any body.
_TYPES_OF_A_START: Final = ("application/json", "application/x-www-form-urlencoded")


class Protocol(StrEnum):
    RESUMABLE = "resumable"
    MULTIPART = "multipart"
    RAW = "raw"


async def upload(request: web.Request) -> op.Operation:
    """Reads a start, a command on an upload URL, or a whole file.

    Raises RESOURCE_EXHAUSTED if it would move bytes and too many uploads already do.
    """
    operation = await _upload(request)
    if isinstance(operation, op.SendChunk | op.CreateFile | op.Relayed):
        request[MEMORY].enter_context(request.app[GATEWAY].upload_slots.taken(1))
    return operation


async def _upload(request: web.Request) -> op.Operation:
    session = request.get(SESSION)
    if session is not None:
        return _command(request, session)
    gateway, provider, version = request.app[GATEWAY], request[PROVIDER], request[ROUTE].version
    protocol, expiry = upload_protocol(request), parse_expiry(request, provider)
    if protocol is not Protocol.RESUMABLE and provider.files is None:
        return await relayed(request, FILES)
    # Raises before anything is created: the answer contains the proxy's address.
    address = gateway.public_address.of(request)
    if protocol is Protocol.RESUMABLE:
        read = file_fields if provider.relay is None else _google_fields
        start = await _parse_start(request, read)
        start = replace(start, version=version, expires_after=expiry)
        return op.StartUpload(gateway.upload_urls, address, start)
    refuse_encoded(request)
    whole = _parse_raw if protocol is Protocol.RAW else _parse_multipart
    start, body = await whole(request)
    start = replace(start, version=version, expires_after=expiry)
    return op.CreateFile(start, body)


async def upload_elsewhere(request: web.Request) -> op.Operation:
    """A start gets an upload URL of the proxy, so that the bytes pass through it too."""
    operation = await relayed(request)
    parse_expiry(request, request[PROVIDER])  # a wrong value is refused here too
    if commands(request) != ["start"]:
        return operation
    gateway, route = request.app[GATEWAY], request[ROUTE]
    address = gateway.public_address.of(request)
    start = await _parse_start(request, _google_fields)
    start = replace(start, version=route.version, resource=route.name)
    return op.StartUpload(gateway.upload_urls, address, start)


def upload_protocol(request: web.Request) -> Protocol:
    """The protocol of a request without an upload URL.

    A JSON body with neither protocol nor command is a start: with per-call options the JavaScript
    SDK loses all `X-Goog-Upload-*` headers (sdk-wire.md section 1a). A body of another type is the
    file (gemini.md section 3.4).
    """
    query = request.query
    named = request.headers.get("X-Goog-Upload-Protocol") or query.get("upload_protocol")
    kind = query.get("uploadType")
    if not named and kind == "resumable" and not commands(request):
        raise unimplemented(
            "uploadType=resumable is not supported; use X-Goog-Upload-Protocol: resumable"
        )
    named = (named or ("raw" if kind == "media" else kind) or "").strip().lower()
    if not named:
        named = _protocol_of_type(request)
    try:
        protocol = Protocol(named)
    except ValueError:
        known = ", ".join(Protocol)
        raise invalid_argument(f"unknown upload protocol {named[:40]!r}; known: {known}") from None
    if protocol is Protocol.RESUMABLE and commands(request) not in ([], ["start"]):
        raise invalid_argument(
            "an upload begins with X-Goog-Upload-Command: start; send other commands to the "
            "upload URL that start returned"
        )
    return protocol


def _protocol_of_type(request: web.Request) -> Protocol:
    if request.content_type.startswith("multipart/"):
        return Protocol.MULTIPART
    is_start = any(name.lower().startswith("x-goog-upload-") for name in request.headers)
    untyped = "Content-Type" not in request.headers or request.content_type in _TYPES_OF_A_START
    return Protocol.RESUMABLE if is_start or untyped else Protocol.RAW


def commands(request: web.Request) -> list[str]:
    """The command list, trimmed and in lower case (gemini.md section 3.2)."""
    text = request.headers.get("X-Goog-Upload-Command", "")
    return [part.strip().lower() for part in text.split(",") if part.strip()]


async def _parse_start(
    request: web.Request, read: Callable[[dict[str, Any]], dict[str, str]]
) -> UploadStart:
    data = await read_whole(request, START_BODY, "the limit for a start")
    fields = read(parse_clients_object(data)) if data.strip() else {}
    size = request.headers.get("X-Goog-Upload-Header-Content-Length", fields.get("size_bytes"))
    return UploadStart(
        display_name=fields.get("display_name"),
        mime_type=fields.get("mime_type")
        or _header_text(request, "X-Goog-Upload-Header-Content-Type"),
        file_name=_header_text(request, "X-Goog-Upload-File-Name"),
        size=parse_size(size) if size is not None else None,
        document=data,
    )


async def _parse_raw(request: web.Request) -> tuple[UploadStart, Body]:
    start = UploadStart(
        mime_type=_header_text(request, "Content-Type"),
        file_name=_header_text(request, "X-Goog-Upload-File-Name"),
        size=request.content_length if request.body_exists else 0,
    )
    return start, inbound_body(request)


async def _parse_multipart(request: web.Request) -> tuple[UploadStart, Body]:
    document, mime_type, body = await parse_multipart(request)
    fields = file_fields(document)
    return UploadStart(fields.get("display_name"), fields.get("mime_type") or mime_type), body


def _header_text(request: web.Request, name: str) -> str | None:
    value = request.headers.get(name)
    return None if value is None else header_text(value)


def file_fields(document: dict[str, Any]) -> dict[str, str]:
    """The fields of `{"file": {...}}` in both spellings. Raises INVALID_ARGUMENT with the path."""
    for key in document:
        if key != "file":
            raise invalid_argument("unknown field; a start has only the field `file`", path=key)
    file = document.get("file")
    if file is None:
        return {}
    if not isinstance(file, dict):
        raise invalid_argument("not a JSON object", path="file")
    found: dict[str, str] = {}
    for key, value in file.items():
        field: str = _FILE_FIELDS.get(key, str(key))
        if field not in _FILE_FIELDS.values():
            raise invalid_argument("unknown or output-only field", path=f"file.{key}")
        if field == "name" and value:
            raise invalid_argument("this provider chooses file names itself", path=f"file.{key}")
        if field in found:
            raise invalid_argument("given in both spellings", path=f"file.{key}")
        if value is not None:
            found[field] = _text(value, f"file.{key}")
    return found


def _google_fields(document: dict[str, Any]) -> dict[str, str]:
    """As `file_fields`, for a start that Google itself checks."""
    file = document.get("file")
    given: dict[str, object] = file if isinstance(file, dict) else {}
    named = {_FILE_FIELDS.get(key, key): value for key, value in given.items()}
    return {key: str(value) for key, value in named.items() if isinstance(value, str | int)}


def _text(value: object, path: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise invalid_argument("not a string", path=path)
    return str(value)


def parse_size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= SIZE_DIGITS):
        raise invalid_argument(f"{text[:40]!r} is not a size in bytes")
    return int(text)


def _command(request: web.Request, session: UploadSession) -> op.Operation:
    refuse_encoded(request)
    listed = commands(request)
    body = inbound_body(request)
    if listed == ["query"]:
        return op.QueryUpload(session)
    if listed == ["cancel"]:
        return op.CancelUpload(session)
    if body.length is None:
        raise invalid_argument("a chunk must have a Content-Length")
    if sorted(listed) not in (["upload"], ["finalize"], ["finalize", "upload"]):
        named = ", ".join(listed)[:80] or "none"
        raise invalid_argument(
            f"unknown X-Goog-Upload-Command ({named}); known: upload, finalize, query, cancel"
        )
    offset = _offset(request) if "upload" in listed else None
    if offset is None and body.length:
        raise invalid_argument(
            "`finalize` must have no body; send the bytes with `upload, finalize`"
        )
    if "finalize" in listed:
        request.app[GATEWAY].public_address.of(request)  # raises first, as for a start
    return op.SendChunk(session, Chunk(offset, body, finalize="finalize" in listed))


def _offset(request: web.Request) -> int:
    text = request.headers.get("X-Goog-Upload-Offset", "")
    if not (text.isascii() and text.isdigit() and len(text) <= SIZE_DIGITS):
        raise invalid_argument(f"X-Goog-Upload-Offset {text[:40]!r} is not a number of bytes")
    return int(text)
