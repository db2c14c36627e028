"""`POST /upload/{v}/files`: which protocol, and what file is meant (gemini.md section 3)."""

import re
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import hdrs, web

from ..blob import Blob, BlobWriter
from ..intake import body_chunks, read_whole
from ..multipart import MultipartError, MultipartReader, Part, boundary_of
from ..shape import Anything, Either, Number, Record, Text
from .envelope import invalid, refuse
from .gate import allow_query
from .hand_written import loads
from .resumable import resume, status_header
from .store import OWNER, STORE, End, UploadSession

LARGEST_FILE = 2 * 1024**3
UNTYPED = "application/octet-stream"
NAME = Text(pattern=r"files/[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
FILE = Record(
    {
        "name": NAME,
        "displayName": Text(high=512),
        "mimeType": Text(),
        "sizeBytes": Either((Text(pattern=r"\d+"), Number(low=0, whole=True))),
    },
    protobuf=True,
)
START = Record({"file": FILE, "config": Anything()}, protobuf=True)


async def upload(request: web.Request) -> web.StreamResponse:
    if "upload_id" in request.query:
        return await resume(request)
    allow_query(request, "uploadType")
    by_query = {"resumable": "resumable", "multipart": "multipart", "media": "raw"}
    asked = request.query.get("uploadType", "")
    protocol = request.headers.get("X-Goog-Upload-Protocol", by_query.get(asked, "")).lower()
    if protocol == "resumable":
        return await _start(request)
    if protocol == "multipart":
        return await _multipart(request)
    is_plain = not protocol and request.can_read_body and not _upload_headers(request)
    if protocol == "raw" or is_plain:  # section 3.4
        return await _raw(request)
    raise invalid(f"Unknown upload protocol {protocol!r}.")


def _upload_headers(request: web.Request) -> list[str]:
    return [name for name in request.headers if name.lower().startswith("x-goog-upload-")]


async def _start(request: web.Request) -> web.Response:
    spec = _spec(await read_whole(request))
    store, origin = request.app[STORE], str(request.url.origin())
    if spec.get("name", "").removeprefix("files/") in store.files:
        raise refuse("ALREADY_EXISTS", f"Requested entity already exists: {spec['name']}")

    async def end(session: UploadSession, blob: Blob) -> dict[str, Any]:
        file = await store.add_file(session.owner, blob, origin, session.spec, session.mime_type)
        return {"file": file}

    return begin(request, spec, end)


def begin(request: web.Request, spec: dict[str, Any], end: End) -> web.Response:
    """Opens a session, and answers with its upload URL."""
    if request.headers.get("X-Goog-Upload-Command", "").strip().lower() != "start":
        raise invalid("An upload begins with the command start.")
    declared = _declared(request.headers.get("X-Goog-Upload-Header-Content-Length"))
    mime_type = request.headers.get("X-Goog-Upload-Header-Content-Type")
    store = request.app[STORE]
    upload_id = store.new_id(40)
    store.uploads[upload_id] = UploadSession(
        owner=request[OWNER],
        path=request.path,
        spec=spec,
        mime_type=spec.get("mimeType") or mime_type or UNTYPED,
        declared=declared,
        writer=store.blobs.writer(),
        end=end,
    )
    url = f"{request.url.origin()}{request.path}?upload_id={upload_id}&upload_protocol=resumable"
    headers = {
        "X-Goog-Upload-URL": url,
        "X-Goog-Upload-Control-URL": url,
        "X-Goog-Upload-Chunk-Granularity": str(store.settings.granularity),
        "X-GUploader-UploadID": upload_id,
    }
    return web.Response(headers=headers | status_header("active"))


def _spec(body: bytes) -> dict[str, Any]:
    parsed = START.parse(loads(body)) if body else {}
    spec: dict[str, Any] = parsed.get("file", {})
    return spec


def _declared(header: str | None) -> int | None:
    if header is None:
        return None
    if not re.fullmatch(r"\d+", header):
        raise invalid("X-Goog-Upload-Header-Content-Length is not a number.")
    if int(header) > LARGEST_FILE:
        raise invalid("The file is larger than 2 GB.")
    return int(header)


def _need_length(request: web.Request) -> None:
    if request.content_length is None:
        raise refuse("INVALID_ARGUMENT", "Content-Length is required.", http=411)
    if request.content_length > LARGEST_FILE:
        raise invalid("The file is larger than 2 GB.")


async def _multipart(request: web.Request) -> web.Response:
    _need_length(request)
    try:
        boundary = boundary_of(request.headers.get(hdrs.CONTENT_TYPE, ""), "multipart/related")
        with request.app[STORE].blobs.writing() as writer:
            parts = MultipartReader(body_chunks(request), boundary).parts()
            spec, mime_type = await _read_related(parts, writer)
    except MultipartError as error:
        raise invalid(f"Malformed multipart body: {error}.") from error
    return await _answer_whole(request, writer.finish(), spec, spec.get("mimeType") or mime_type)


async def _read_related(
    parts: AsyncIterator[Part], writer: BlobWriter
) -> tuple[dict[str, Any], str]:
    """The metadata, then the file: exactly two parts."""
    spec: dict[str, Any] = {}
    mime_type, count = UNTYPED, 0
    async for part in parts:
        count += 1
        if count == 1:
            if not part.headers.get("content-type", "").startswith("application/json"):
                raise invalid("The first part must be the metadata as application/json.")
            spec = _spec((await part.text(16 * 1024)).encode())
        else:
            mime_type = part.headers.get("content-type", UNTYPED)
            async for chunk in part.body:
                writer.write(chunk)
    if count != 2:
        raise invalid(f"A multipart upload has two parts, not {count}.")
    return spec, mime_type


async def _raw(request: web.Request) -> web.Response:
    _need_length(request)
    with request.app[STORE].blobs.writing() as writer:
        async for chunk in body_chunks(request):
            writer.write(chunk)
    mime_type = request.headers.get(hdrs.CONTENT_TYPE, UNTYPED)
    return await _answer_whole(request, writer.finish(), {}, mime_type)


async def _answer_whole(
    request: web.Request, blob: Blob, spec: dict[str, Any], mime_type: str
) -> web.Response:
    origin = str(request.url.origin())
    file = await request.app[STORE].add_file(request[OWNER], blob, origin, spec, mime_type)
    return web.json_response({"file": file}, headers=status_header("final"))
