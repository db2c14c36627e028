"""`/v1/files` (anthropic.md section 3)."""

import re

from aiohttp import web

from ..blob import BlobResponse
from .envelope import refuse
from .form import read_upload
from .gate import allow_query, no_body
from .paging import cursor_page, token_page
from .store import OWNER, STORE, StoredFile

MOST_IDS = 100
SHORTEST, LONGEST = 3600, 7_776_000


async def create_file(request: web.Request) -> web.Response:
    allow_query(request)
    form = await read_upload(request)
    if form.blob is None:
        raise refuse(400, "file: Field required")
    lifetime = _lifetime(form.text.get("expires_in_seconds"))
    store = request.app[STORE]
    return web.json_response(
        store.add_file(request[OWNER], form.blob, form.filename, form.mime_type, lifetime)
    )


def _lifetime(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not SHORTEST <= int(text) <= LONGEST:
        raise refuse(400, f"expires_in_seconds: must be within {SHORTEST}..{LONGEST}")
    return int(text)


async def list_files(request: web.Request) -> web.Response:
    """Newest first; unverified (anthropic.md section 3)."""
    store = request.app[STORE]
    mine = [
        file
        for file in reversed(store.files.values())
        if file.owner == request[OWNER] and not file.expired
    ]
    if store.settings.beta_file_list:
        allow_query(request, "limit", "after_id", "before_id")
        return cursor_page(request, [file.resource for file in mine])
    allow_query(request, "limit", "page", "ids[]")
    if "ids[]" in request.query:
        return _named(request, mine)
    return token_page(request, mine)


def _named(request: web.Request, mine: list[StoredFile]) -> web.Response:
    """The existing files in `ids[]`, always on one page."""
    wanted = set(request.query.getall("ids[]"))
    if len(wanted) > MOST_IDS:
        raise refuse(400, f"ids: at most {MOST_IDS}")
    if "page" in request.query or "limit" in request.query:
        raise refuse(400, "ids: mutually exclusive with page and limit")
    data = [file.resource for file in mine if file.resource["id"] in wanted]
    return web.json_response({"data": data, "next_page": None})


async def get_file(request: web.Request) -> web.Response:
    allow_query(request)
    found = request.app[STORE].file(request[OWNER], request.match_info["id"])
    return web.json_response(found.resource)


async def delete_file(request: web.Request) -> web.Response:
    """Deletes expired files too; they can be removed in no other way."""
    allow_query(request)
    await no_body(request)
    files, native_id = request.app[STORE].files, request.match_info["id"]
    if native_id not in files or files[native_id].owner != request[OWNER]:
        raise refuse(404, f"File not found: {native_id}")
    del files[native_id]
    return web.json_response({"id": native_id, "type": "file_deleted"})


async def get_content(request: web.Request) -> web.StreamResponse:
    allow_query(request)
    file = request.app[STORE].file(request[OWNER], request.match_info["id"])
    if not file.resource["downloadable"]:
        message = f"File {file.resource['id']} is not downloadable"
        raise refuse(400, message, error_code="file_not_downloadable")
    return BlobResponse(file.blob, file.resource["mime_type"])
