"""The form of an upload, read strictly: exact length, known fields, each of them once."""

import mimetypes
import re
from dataclasses import dataclass, field

from aiohttp import hdrs, web

from ..blob import Blob, BlobWriter
from ..intake import body_chunks
from ..multipart import MultipartError, MultipartReader, Part, boundary_of, split_header
from .envelope import refuse
from .store import STORE

LARGEST_FILE = 500_000_000
FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')
MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")


@dataclass
class UploadForm:
    """`text` holds the plain fields; the file itself went to disk."""

    text: dict[str, str] = field(default_factory=dict)
    filename: str = ""
    mime_type: str = "application/octet-stream"
    blob: Blob | None = None


async def read_upload(request: web.Request) -> UploadForm:
    """Raises Refusal, MultipartError."""
    if request.content_length is None:
        raise refuse(411, "A Content-Length is required.")
    # Headers and delimiters take a little; the file itself is measured below.
    if request.content_length > LARGEST_FILE + 64 * 1024:
        raise refuse(413, "File exceeds the maximum size")
    boundary = boundary_of(request.headers.get(hdrs.CONTENT_TYPE, ""), "multipart/form-data")
    form = UploadForm()
    with request.app[STORE].blobs.writing() as writer:
        async for part in MultipartReader(body_chunks(request), boundary).parts():
            await _read_part(form, part, writer)
        if form.blob is None:
            raise refuse(400, "file: Field required")
        if form.blob.size > LARGEST_FILE:
            raise refuse(413, "File exceeds the maximum size")
    return form


async def _read_part(form: UploadForm, part: Part, writer: BlobWriter) -> None:
    kind, parameters = split_header(part.headers.get("content-disposition", ""))
    name = parameters.get("name")
    if kind != "form-data" or name is None:
        raise MultipartError("a part is not form-data with a name")
    if name in form.text or (name == "file" and form.blob is not None):
        raise refuse(400, f"{name}: given twice")
    if name == "file":
        form.mime_type = _media_type(part.headers.get("content-type", form.mime_type))
        form.filename = _kept_name(parameters.get("filename", ""), form.mime_type)
        async for chunk in part.body:
            writer.write(chunk)
        form.blob = writer.finish()
    elif name == "expires_in_seconds" and "filename" not in parameters:
        form.text[name] = await part.text()
    else:
        raise refuse(400, f"{name}: Extra inputs are not permitted")


def _media_type(header: str) -> str:
    kind, _ = split_header(header)
    if not MEDIA_TYPE.fullmatch(kind):
        raise refuse(400, f"file: '{header}' is no media type")
    return kind


def _kept_name(filename: str, mime_type: str) -> str:
    """Keeps only the last component of a path, and fills in a missing name."""
    last = re.split(r"[/\\]", filename)[-1]
    if not last:
        return "unnamed" + (mimetypes.guess_extension(mime_type) or "")
    if FORBIDDEN.search(last) or len(last) > 255:
        raise refuse(400, "file: the filename has forbidden characters, or more than 255")
    return last
