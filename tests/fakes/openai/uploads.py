"""`/v1/uploads`: big files in parts (openai.md section 3)."""

import asyncio
import time
from typing import Any

from aiohttp import web

from ..blob import digest
from ..calls import allow_query, no_body, read_object
from ..form import read_form
from ..journal import MIB
from ..shape import Number, Record, Sequence, Text
from .envelope import refuse
from .files import check_purpose, default_expiry
from .store import OWNER, STORE, StoredUpload

LARGEST_UPLOAD, LARGEST_PART = 8 * 1024 * MIB, 64 * MIB
# As OpenAI's published specification lists them for this call; fewer than for `/v1/files`.
PURPOSES = ("assistants", "batch", "fine-tune", "vision")
EXPIRES_AFTER = Record(
    {
        "anchor": Text(choices=["created_at"]),
        "seconds": Number(low=3600, high=2592000, whole=True),
    },
    required=("anchor", "seconds"),
)
CREATE = Record(
    {
        "bytes": Number(low=0, high=LARGEST_UPLOAD, whole=True),
        "filename": Text(low=1),
        "mime_type": Text(low=1),
        "purpose": Text(choices=PURPOSES),
        "expires_after": EXPIRES_AFTER,
    },
    required=("bytes", "filename", "mime_type", "purpose"),
)
COMPLETE = Record(
    {"part_ids": Sequence(Text()), "md5": Text(pattern="[0-9a-f]{32}")}, required=("part_ids",)
)


def _served(request: web.Request) -> None:
    """An OpenAI-compatible server without this API knows no such path."""
    allow_query(request)
    if not request.app[STORE].settings.uploads_api:
        raise web.HTTPNotFound


def _pending(request: web.Request) -> StoredUpload:
    upload = request.app[STORE].upload(request[OWNER], request.match_info["id"])
    if upload.resource["status"] != "pending":
        raise refuse(400, f"The upload is {upload.resource['status']}, not pending.")
    return upload


async def create_upload(request: web.Request) -> web.Response:
    _served(request)
    spec = CREATE.parse(await read_object(request))
    check_purpose(spec["purpose"], spec["filename"], spec["bytes"])
    store, now = request.app[STORE], int(time.time())
    resource: dict[str, Any] = {
        "id": store.new_id("upload_"),
        "object": "upload",
        "bytes": spec["bytes"],
        "created_at": now,
        "expires_at": now + store.settings.upload_seconds,
        "filename": spec["filename"],
        "purpose": spec["purpose"],
        "status": "pending",
        "file": None,
    }
    upload = StoredUpload(request[OWNER], resource)
    upload.lifetime = spec.get("expires_after", {}).get("seconds")
    store.uploads[resource["id"]] = upload
    return web.json_response(resource)


async def add_part(request: web.Request) -> web.Response:
    _served(request)
    upload = _pending(request)
    store = request.app[STORE]
    form = await read_form(request, store.blobs, "data", LARGEST_PART)
    _pending(request)
    part_id = store.new_id("part_")
    upload.parts[part_id] = form.blob
    return web.json_response(
        {
            "id": part_id,
            "object": "upload.part",
            "created_at": int(time.time()),
            "upload_id": upload.resource["id"],
        }
    )


async def complete_upload(request: web.Request) -> web.Response:
    _served(request)
    spec = COMPLETE.parse(await read_object(request))
    upload, store = _pending(request), request.app[STORE]
    ids: list[str] = spec["part_ids"]
    if len(set(ids)) != len(ids) or not set(ids) <= set(upload.parts):
        raise refuse(400, "part_ids names unknown parts, or one of them twice.", param="part_ids")
    parts = [upload.parts[part_id] for part_id in ids]
    resource = upload.resource
    if sum(part.size for part in parts) != resource["bytes"]:
        raise refuse(400, "The parts do not add up to the bytes that were declared.")
    blob = await asyncio.to_thread(store.blobs.join, parts)
    if "md5" in spec and (await digest(blob, "md5")).hex() != spec["md5"]:
        raise refuse(400, "The md5 does not match.", param="md5")
    _pending(request)
    expiry = upload.lifetime or default_expiry(resource["purpose"])
    resource["file"] = store.add_file(
        upload.owner, blob, resource["filename"], resource["purpose"], expiry
    )
    resource["status"] = "completed"
    return web.json_response(resource)


async def cancel_upload(request: web.Request) -> web.Response:
    _served(request)
    await no_body(request)
    upload = _pending(request)
    upload.resource["status"] = "cancelled"
    upload.parts.clear()
    return web.json_response(upload.resource)
