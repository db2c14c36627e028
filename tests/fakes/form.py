"""Multipart forms, read strictly: exact length, known fields, each of them once."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import hdrs, web

from .blob import Blob, BlobStore, BlobWriter
from .intake import BodyTooLong, body_chunks
from .multipart import MultipartError, MultipartReader, Part, boundary_of, split_header
from .shape import ShapeError

CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


@dataclass
class Form:
    """`text` holds the plain fields; the one file field went to disk.

    `media_type` is the file's Content-Type, or None if its part has no such header.
    """

    text: dict[str, str]
    filename: str
    media_type: str | None
    blob: Blob


async def read_form(
    request: web.Request, blobs: BlobStore, file_field: str, limit: int, *text_fields: str
) -> Form:
    """Read a form with one file of at most `limit` bytes.

    Raises ShapeError for its fields, MultipartError for its bytes, BodyTooLong, HTTPLengthRequired.
    """
    if request.content_length is None:
        raise web.HTTPLengthRequired
    # Headers and delimiters take a little; the file itself is measured below.
    if request.content_length > limit + 64 * 1024:
        raise BodyTooLong
    boundary = boundary_of(request.headers.get(hdrs.CONTENT_TYPE, ""), "multipart/form-data")
    with blobs.writing() as writer:
        parts = MultipartReader(body_chunks(request), boundary).parts()
        form = await _read_parts(parts, writer, file_field, text_fields)
    if form.blob.size > limit:
        raise BodyTooLong
    return form


async def _read_parts(
    parts: AsyncIterator[Part], writer: BlobWriter, file_field: str, text_fields: tuple[str, ...]
) -> Form:
    text: dict[str, str] = {}
    file: Part | None = None
    filename = ""
    async for part in parts:
        kind, parameters = split_header(part.headers.get("content-disposition", ""))
        name = parameters.get("name")
        if kind != "form-data" or name is None:
            raise MultipartError("a part is not form-data with a name")
        if name in text or (name == file_field and file is not None):
            raise ShapeError("value", name, f"Duplicate form field: '{name}'.")
        if name == file_field:
            file, filename = part, parameters.get("filename", "")
            async for chunk in part.body:
                writer.write(chunk)
        elif name in text_fields:
            if "filename" in parameters:
                raise ShapeError("value", name, f"'{name}' must not be a file.")
            text[name] = await part.text()
        else:
            raise ShapeError("unknown", name, f"Unknown parameter: '{name}'.")
    if file is None:
        raise ShapeError("missing", file_field, f"Missing required parameter: '{file_field}'.")
    return Form(text, filename, file.headers.get("content-type"), writer.finish())


def checked_filename(filename: str) -> str:
    if not filename or CONTROL_CHARACTER.search(filename):
        raise ShapeError("value", "file", "The file needs a filename.")
    return filename
