"""`/v1/files` (openai.md section 2)."""

from aiohttp import web

from ..blob import BlobResponse
from ..calls import allow_query
from ..form import checked_filename, read_form
from ..journal import MIB
from .envelope import refuse
from .paging import cursor_page
from .store import OWNER, STORE

LARGEST_FILE, LARGEST_BATCH_FILE = 512 * MIB, 200 * MIB
INPUT_PURPOSES = frozenset({"assistants", "batch", "fine-tune", "vision", "user_data", "evals"})
OUTPUT_PURPOSES = frozenset({"assistants_output", "batch_output", "fine-tune-results"})
CLOSED_PURPOSES = frozenset({"assistants", "user_data"})
BATCH_LIFETIME = 30 * 24 * 3600
EXPIRY_FIELDS = ("expires_after[anchor]", "expires_after[seconds]")


def check_purpose(purpose: str | None, filename: str, size: int) -> str:
    """Refuse a purpose that uploads cannot have, and an invalid batch file."""
    if purpose is None:
        message = "Missing required parameter: 'purpose'."
        raise refuse(400, message, param="purpose", code="missing_required_parameter")
    if purpose not in INPUT_PURPOSES:
        raise refuse(400, f"'{purpose}' is not one of {sorted(INPUT_PURPOSES)}.", param="purpose")
    if purpose == "batch" and not filename.endswith(".jsonl"):
        message = "Invalid file format. Batch files must have the extension .jsonl."
        raise refuse(400, message, param="file")
    if purpose == "batch" and size > LARGEST_BATCH_FILE:
        raise refuse(400, f"A batch file is at most {LARGEST_BATCH_FILE} bytes.", param="file")
    return purpose


def default_expiry(purpose: str) -> int | None:
    return BATCH_LIFETIME if purpose == "batch" else None


async def create_file(request: web.Request) -> web.Response:
    allow_query(request)
    store = request.app[STORE]
    fields = ("purpose", *EXPIRY_FIELDS)
    form = await read_form(request, store.blobs, "file", LARGEST_FILE, *fields)
    filename = checked_filename(form.filename)
    purpose = check_purpose(form.text.get("purpose"), filename, form.blob.size)
    expiry = _expiry(form.text) or default_expiry(purpose)
    return web.json_response(store.add_file(request[OWNER], form.blob, filename, purpose, expiry))


def _expiry(text: dict[str, str]) -> int | None:
    anchor, seconds = (text.get(name) for name in EXPIRY_FIELDS)
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at" or seconds is None or not seconds.isdigit():
        raise refuse(
            400, "expires_after needs anchor=created_at and seconds.", param="expires_after"
        )
    if not 3600 <= int(seconds) <= 2592000:
        raise refuse(400, "seconds must be within 3600..2592000.", param="expires_after.seconds")
    return int(seconds)


async def list_files(request: web.Request) -> web.Response:
    allow_query(request, "after", "limit", "order", "purpose")
    order, purpose = request.query.get("order", "desc"), request.query.get("purpose")
    if order not in ("asc", "desc"):
        raise refuse(400, "'order' must be asc or desc.", param="order")
    if purpose is not None and purpose not in INPUT_PURPOSES | OUTPUT_PURPOSES:
        raise refuse(400, f"Unknown purpose '{purpose}'.", param="purpose")
    files = [
        file.resource
        for file in request.app[STORE].files.values()
        if file.owner == request[OWNER] and purpose in (None, file.resource["purpose"])
    ]
    files = files if order == "asc" else files[::-1]
    return cursor_page(request, files, default=10000, largest=10000)


async def get_file(request: web.Request) -> web.Response:
    allow_query(request)
    found = request.app[STORE].file(request[OWNER], request.match_info["id"])
    if found.pending_reads:
        found.pending_reads -= 1
    elif found.resource["status"] == "pending":
        found.resource["status"] = "processed"
    return web.json_response(found.resource)


async def delete_file(request: web.Request) -> web.Response:
    allow_query(request)
    store, native_id = request.app[STORE], request.match_info["id"]
    store.file(request[OWNER], native_id)
    del store.files[native_id]
    return web.json_response({"id": native_id, "object": "file", "deleted": True})


async def get_content(request: web.Request) -> web.StreamResponse:
    allow_query(request)
    file = request.app[STORE].file(request[OWNER], request.match_info["id"])
    purpose = file.resource["purpose"]
    if purpose in CLOSED_PURPOSES:
        raise refuse(400, f"Not allowed to download files of purpose: {purpose}")
    return BlobResponse(file.blob, "application/octet-stream")
