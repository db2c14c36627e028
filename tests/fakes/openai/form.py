"""Multipart forms, read strictly: exact length, known fields, each of them once."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import hdrs, web

from ..blob import Blob, BlobWriter
from ..intake import body_chunks
from ..multipart import MultipartError, MultipartReader, Part, boundary_of, split_header
from .envelope import refuse
from .store import STORE

CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


@dataclass
class Form:
    """`text` holds the plain fields; the one file field went to disk."""

    text: dict[str, str] = field(default_factory=dict)
    filename: str | None = None
    blob: Blob | None = None


async def read_form(request: web.Request, file_field: str, limit: int, *text_fields: str) -> Form:
    """Read a form with one file of at most `limit` bytes; refuses what is not exactly that."""
    if request.content_length is None:
        raise refuse(411, "A Content-Length is required.")
    # Headers and delimiters take a little; the file itself is measured below.
    if request.content_length > limit + 64 * 1024:
        raise refuse(413, f"The file is larger than {limit} bytes.")
    boundary = boundary_of(request.headers.get(hdrs.CONTENT_TYPE, ""), "multipart/form-data")
    with request.app[STORE].blobs.writing() as writer:
        parts = MultipartReader(body_chunks(request), boundary).parts()
        form = await _read_parts(parts, writer, file_field, text_fields)
    if form.blob is None:
        message = f"Missing required parameter: '{file_field}'."
        raise refuse(400, message, param=file_field, code="missing_required_parameter")
    if form.blob.size > limit:
        raise refuse(413, f"The file is larger than {limit} bytes.")
    return form


async def _read_parts(
    parts: AsyncIterator[Part], writer: BlobWriter, file_field: str, text_fields: tuple[str, ...]
) -> Form:
    form = Form()
    async for part in parts:
        kind, parameters = split_header(part.headers.get("content-disposition", ""))
        name = parameters.get("name")
        if kind != "form-data" or name is None:
            raise MultipartError("a part is not form-data with a name")
        if name in form.text or (name == file_field and form.blob is not None):
            raise refuse(400, f"Duplicate form field: '{name}'.", param=name)
        if name == file_field:
            form.filename = parameters.get("filename")
            async for chunk in part.body:
                writer.write(chunk)
            form.blob = writer.finish()
        elif name in text_fields:
            if "filename" in parameters:
                raise refuse(400, f"'{name}' must not be a file.", param=name)
            form.text[name] = await part.text()
        else:
            message = f"Unknown parameter: '{name}'."
            raise refuse(400, message, param=name, code="unknown_parameter")
    return form


def checked_filename(filename: str | None) -> str:
    if not filename or CONTROL_CHARACTER.search(filename):
        raise refuse(400, "The file needs a filename.", param="file")
    return filename
