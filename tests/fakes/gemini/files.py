"""`files.*` except upload (gemini.md section 4)."""

import base64
import binascii
from typing import Any

import orjson
from aiohttp import web

from ..blob import BlobResponse
from ..intake import read_whole
from ..shape import Record, Sequence, Text
from .envelope import invalid, refuse
from .gate import allow_query
from .store import OWNER, STORE

REGISTER = Record(
    {"uris": Sequence(Text(pattern=r"gs://.+"), low=1)}, required=("uris",), protobuf=True
)
DEFAULT_PAGE, LARGEST_PAGE = 10, 100


def page(request: web.Request, items: list[Any]) -> tuple[list[Any], str]:
    """One page of `items`, and the token of the next one or an empty string."""
    start = _start(request.query.get("pageToken", ""))
    try:
        size = int(request.query.get("pageSize") or DEFAULT_PAGE)
    except ValueError:
        raise invalid("Invalid value at 'page_size' (TYPE_INT32)") from None
    if size < 0:
        raise invalid("page_size must not be negative.")
    limit = request.app[STORE].settings.page_limit or LARGEST_PAGE
    end = start + min(size or DEFAULT_PAGE, limit)
    token = base64.urlsafe_b64encode(f"after {end}".encode()).decode() if end < len(items) else ""
    return items[start:end], token


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        word, number = base64.urlsafe_b64decode(token).decode().split()
        return int(number) if word == "after" else int(word)
    except (binascii.Error, ValueError):
        raise invalid("The page token is invalid.") from None


async def list_files(request: web.Request) -> web.Response:
    allow_query(request, "pageSize", "pageToken")
    store, owner = request.app[STORE], request[OWNER]
    newest_first = reversed([file for file in store.files.values() if file.owner == owner])
    files, token = page(request, [file.resource for file in newest_first])
    answer: dict[str, Any] = {"files": files} if files else {}
    return web.json_response(answer | ({"nextPageToken": token} if token else {}))


async def get_file(request: web.Request) -> web.Response:
    allow_query(request)
    return web.json_response(
        request.app[STORE].file(request[OWNER], request.match_info["id"]).resource
    )


async def register_files(request: web.Request) -> web.Response:
    """Files in Cloud Storage, read with the user's rights: an API key identifies no user."""
    allow_query(request)
    if not request.headers.get("Authorization", "").startswith("Bearer ya29."):
        raise refuse(
            "UNAUTHENTICATED",
            "Request is missing required authentication credential. Expected OAuth 2 access token.",
        )
    uris = REGISTER.parse(orjson.loads(await read_whole(request)))["uris"]
    return web.json_response({"files": [_registered(request, uri) for uri in uris]})


def _registered(request: web.Request, uri: str) -> dict[str, Any]:
    native_id = request.app[STORE].new_id()
    return {
        "name": f"files/{native_id}",
        "uri": f"{request.url.origin()}/v1beta/files/{native_id}",
        "displayName": uri,
        "source": "REGISTERED",
        "state": "ACTIVE",
    }


async def delete_file(request: web.Request) -> web.Response:
    allow_query(request)
    store, native_id = request.app[STORE], request.match_info["id"]
    store.file(request[OWNER], native_id)
    del store.files[native_id]
    return web.json_response({})


async def download_file(request: web.Request) -> web.StreamResponse:
    allow_query(request)
    file = request.app[STORE].file(request[OWNER], request.match_info["id"])
    if request.query.get("alt") != "media":
        raise invalid("A download needs alt=media.")
    if file.resource["source"] != "GENERATED":
        raise refuse("PERMISSION_DENIED", "Only generated files can be downloaded.")
    return BlobResponse(file.blob, file.resource["mimeType"])
