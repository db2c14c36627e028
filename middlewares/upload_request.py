"""Reads requests of the upload protocols: start, commands on an upload URL, raw and multipart."""

from enum import StrEnum
from typing import Any, Final

from aiohttp import web

from middlewares.header_text import header_text
from middlewares.inbound_body import inbound_body, parse_json_object, read_whole, refuse_encoded
from middlewares.operations import CancelUpload, QueryUpload, SendChunk
from providers.errors import FerryError, invalid_argument, unimplemented
from providers.status import Status
from providers.upload import Chunk, UploadSession, UploadStart, UploadStatus

_START_LIMIT: Final = 64 << 10
_FILE_FIELDS: Final = {
    "name": "name",
    "displayName": "display_name",
    "mimeType": "mime_type",
    "sizeBytes": "size_bytes",
}


class Protocol(StrEnum):
    RESUMABLE = "resumable"
    MULTIPART = "multipart"
    RAW = "raw"


def upload_protocol(request: web.Request) -> Protocol:
    """The protocol of a request without an upload URL.

    A JSON body with neither protocol nor command is a start: with per-call options the JavaScript
    SDK loses all `X-Goog-Upload-*` headers (sdk-wire.md section 1a).
    """
    query, content_type = request.query, request.content_type
    named = request.headers.get("X-Goog-Upload-Protocol") or query.get("upload_protocol")
    kind = query.get("uploadType")
    if not named and kind == "resumable" and not commands(request):
        raise unimplemented(
            "uploadType=resumable is not supported; use X-Goog-Upload-Protocol: resumable"
        )
    named = (named or ("raw" if kind == "media" else kind) or "").strip().lower()
    if not named:
        named = "multipart" if content_type == "multipart/related" else "resumable"
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


def commands(request: web.Request) -> list[str]:
    """The command list, trimmed and in lower case (gemini.md section 3.2)."""
    text = request.headers.get("X-Goog-Upload-Command", "")
    return [part.strip().lower() for part in text.split(",") if part.strip()]


async def parse_start(request: web.Request, version: str, *, strict: bool) -> UploadStart:
    """Reads a start. `strict` refuses fields that only Google supports."""
    data = await read_whole(request, _START_LIMIT, "the limit for a start")
    fields = _file_fields(data, strict=strict)
    headers = request.headers
    size = headers.get("X-Goog-Upload-Header-Content-Length", fields.get("size_bytes"))
    return UploadStart(
        display_name=fields.get("display_name"),
        mime_type=fields.get("mime_type")
        or _header_text(request, "X-Goog-Upload-Header-Content-Type"),
        file_name=_header_text(request, "X-Goog-Upload-File-Name"),
        size=parse_size(size) if size is not None else None,
        version=version,
        document=data,
    )


def raw_start(request: web.Request, version: str) -> UploadStart:
    """The start of a raw upload, which describes the file in headers only."""
    length = request.content_length
    return UploadStart(
        mime_type=_header_text(request, "Content-Type"),
        file_name=_header_text(request, "X-Goog-Upload-File-Name"),
        size=length if request.body_exists else 0,
        version=version,
    )


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


def _file_fields(data: bytes, *, strict: bool) -> dict[str, str]:
    if not data.strip():
        return {}
    document = parse_json_object(data)
    if strict:
        return file_fields(document)
    file = document.get("file")
    return {} if not isinstance(file, dict) else _lenient(file)


def _lenient(file: dict[str, Any]) -> dict[str, str]:
    named: dict[str, object] = {_FILE_FIELDS.get(key, key): item for key, item in file.items()}
    return {key: str(value) for key, value in named.items() if isinstance(value, str | int)}


def _text(value: object, path: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise invalid_argument("not a string", path=path)
    return str(value)


def parse_size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise invalid_argument(f"{text[:40]!r} is not a size in bytes")
    return int(text)


def parse_command(
    request: web.Request, session: UploadSession
) -> SendChunk | QueryUpload | CancelUpload:
    """Reads a command on an upload URL."""
    refuse_encoded(request)
    listed = commands(request)
    body = inbound_body(request)
    if listed == ["query"]:
        return QueryUpload(session)
    if listed == ["cancel"]:
        return CancelUpload(session)
    if body.length is None:
        raise _refused("a chunk must have a Content-Length")
    if listed == ["finalize"]:
        if body.length:
            raise _refused("`finalize` must have no body; send the bytes with `upload, finalize`")
        return SendChunk(session, Chunk(None, body, finalize=True))
    if sorted(listed) not in (["upload"], ["finalize", "upload"]):
        named = ", ".join(listed)[:80] or "none"
        raise _refused(
            f"unknown X-Goog-Upload-Command ({named}); known: upload, finalize, query, cancel"
        )
    return SendChunk(session, Chunk(_offset(request), body, finalize="finalize" in listed))


def _offset(request: web.Request) -> int:
    text = request.headers.get("X-Goog-Upload-Offset", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _refused(f"X-Goog-Upload-Offset {text[:40]!r} is not a number of bytes")
    return int(text)


def _refused(message: str) -> FerryError:
    return FerryError(Status.INVALID_ARGUMENT, message, upload_status=UploadStatus.FINAL)
