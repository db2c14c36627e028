"""`/v1/files` (mistral.md section 2)."""

import asyncio
import mimetypes
import re
import time
from typing import Any

from aiohttp import web

from ..blob import Blob, BlobResponse
from ..calls import allow_query, no_body
from ..form import Form, checked_filename, read_form
from ..journal import MIB
from ..multipart import split_header
from ..shape import ShapeError
from .paging import choices, flag, numbered_page
from .store import OWNER, STORE

LARGEST_FILE = 512 * MIB
# The purposes of an upload, and the sample type that its file has: `batch_request` and `instruct`
# are published; that they belong to these purposes is unverified.
SAMPLE_TYPES = {
    "batch": "batch_request",
    "fine-tune": "instruct",
    "ocr": "instruct",
    "agentic_safety": "instruct",
}
ALL_SAMPLE_TYPES = ("pretrain", "instruct", "batch_request", "batch_result", "batch_error")
SOURCES = ("upload", "repository", "mistral")
VISIBILITIES = ("workspace", "user")
HOUR = 3600
LINES_PURPOSES = frozenset({"batch", "fine-tune"})


async def create_file(request: web.Request) -> web.Response:
    allow_query(request)
    store = request.app[STORE]
    fields = ("purpose", "expiry", "visibility")
    form = await read_form(request, store.blobs, "file", LARGEST_FILE, *fields)
    filename, purpose = checked_filename(form.filename), _purpose(form)
    num_lines = None
    if purpose in LINES_PURPOSES:
        num_lines = await asyncio.to_thread(count_lines, form.blob)
    file = store.add_file(
        request[OWNER],
        form.blob,
        filename=filename,
        purpose=purpose,
        sample_type=SAMPLE_TYPES[purpose],
        source="upload",
        num_lines=num_lines,
        mimetype=_media_type(form),
        expires_at=_expiry(form.text.get("expiry")),
        visibility=_choice(form.text, "visibility", VISIBILITIES, "workspace"),
    )
    return web.json_response(file)


def _purpose(form: Form) -> str:
    """Unverified: which purpose a file has without one; so it must be given here."""
    if "purpose" not in form.text:
        raise ShapeError("missing", "purpose", "purpose is required.")
    purpose = _choice(form.text, "purpose", tuple(SAMPLE_TYPES), "")
    if purpose in LINES_PURPOSES and not form.filename.endswith(".jsonl"):
        raise ShapeError("value", "file", f"A file of purpose {purpose} must be a .jsonl file.")
    return purpose


def _choice(text: dict[str, str], name: str, known: tuple[str, ...], default: str) -> str:
    value = text.get(name, default)
    if value not in known:
        raise ShapeError("value", name, f"Input should be one of {known}.")
    return value


def _expiry(hours: str | None) -> int | None:
    """When a file expires; unverified: that `expiry` is in hours."""
    if hours is None:
        return None
    if not re.fullmatch(r"[1-9]\d{0,4}", hours, re.ASCII):
        raise ShapeError("type", "expiry", "Input should be a valid integer.")
    return int(time.time()) + int(hours) * HOUR


def _media_type(form: Form) -> str | None:
    if form.media_type is not None:
        return split_header(form.media_type)[0]
    return mimetypes.guess_type(form.filename)[0]


def count_lines(blob: Blob) -> int:
    with blob.path.open("rb") as lines:
        return sum(1 for _ in lines)


async def list_files(request: web.Request) -> web.Response:
    """Newest first (unverified)."""
    allow_query(
        request,
        *("page", "page_size", "include_total", "search", "purpose"),
        lists=("sample_type", "source", "mimetypes"),
    )
    wanted = {
        "sample_type": choices(request, "sample_type", ALL_SAMPLE_TYPES),
        "source": choices(request, "source", SOURCES),
        "mimetype": request.query.getall("mimetypes", []),
        "purpose": choices(request, "purpose", tuple(SAMPLE_TYPES)),
    }
    search = request.query.get("search", "")
    files = [
        file.resource
        for file in reversed(request.app[STORE].files.values())
        if file.owner == request[OWNER]
        and not file.expired
        and search in file.resource["filename"]
        and all(not values or file.resource[name] in values for name, values in wanted.items())
    ]
    answer: dict[str, Any] = {"object": "list", "data": numbered_page(request, files)}
    if flag(request, "include_total", "true"):
        answer["total"] = len(files)
    return web.json_response(answer)


async def get_file(request: web.Request) -> web.Response:
    allow_query(request)
    file = request.app[STORE].file(request[OWNER], request.match_info["id"])
    return web.json_response(file.resource)


async def delete_file(request: web.Request) -> web.Response:
    allow_query(request)
    await no_body(request)
    store, native_id = request.app[STORE], request.match_info["id"]
    store.file(request[OWNER], native_id)
    del store.files[native_id]
    return web.json_response({"id": native_id, "object": "file", "deleted": True})


async def get_content(request: web.Request) -> web.StreamResponse:
    allow_query(request)
    file = request.app[STORE].file(request[OWNER], request.match_info["id"])
    return BlobResponse(file.blob, "application/octet-stream")
