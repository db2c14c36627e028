"""File search stores, and uploads straight into them (the API's published description).

An upload into a store is resumable like one of a file, and ends with an operation.
"""

from typing import Any

from aiohttp import web

from ..blob import Blob
from ..intake import read_whole
from ..shape import Anything, Record, Sequence, Text
from .envelope import invalid, refuse
from .gate import allow_query
from .hand_written import loads
from .resumable import resume
from .start import begin
from .store import OWNER, STORE, SearchStore, UploadSession

STORE_FIELDS = Record({"displayName": Text(high=512)}, protobuf=True)
START = Record(
    {
        "displayName": Text(high=512),
        "mimeType": Text(),
        "customMetadata": Sequence(Anything()),
        "chunkingConfig": Anything(),
    },
    protobuf=True,
)
ANSWER_TYPE = (
    "type.googleapis.com/google.ai.generativelanguage.v1main.UploadToFileSearchStoreResponse"
)


async def create_store(request: web.Request) -> web.Response:
    allow_query(request)
    body = await read_whole(request)
    spec = STORE_FIELDS.parse(loads(body)) if body else {}
    store = request.app[STORE]
    name = f"fileSearchStores/{store.new_id()}"
    store.search_stores[name] = SearchStore(request[OWNER])
    return web.json_response({"name": name, **spec})


async def upload_to_store(request: web.Request) -> web.Response:
    if "upload_id" in request.query:
        return await resume(request)
    allow_query(request)
    if request.headers.get("X-Goog-Upload-Protocol", "").lower() != "resumable":
        raise invalid("This fake takes resumable uploads only.")
    body = await read_whole(request)
    spec = START.parse(loads(body)) if body else {}
    search_store = _store(request)

    async def end(session: UploadSession, blob: Blob) -> dict[str, Any]:
        return _add_document(request, search_store, session, blob)

    return begin(request, spec, end)


async def get_operation(request: web.Request) -> web.Response:
    allow_query(request)
    operation = _store(request).operations.get(request.match_info["operation"])
    if operation is None:
        raise refuse("NOT_FOUND", "Requested entity was not found.")
    return web.json_response(operation)


async def get_document(request: web.Request) -> web.Response:
    allow_query(request)
    document = _store(request).documents.get(request.match_info["document"])
    if document is None:
        raise refuse("NOT_FOUND", "Requested entity was not found.")
    return web.json_response(document)


def _name(request: web.Request) -> str:
    return f"fileSearchStores/{request.match_info['store']}"


def _store(request: web.Request) -> SearchStore:
    found = request.app[STORE].search_stores.get(_name(request))
    if found is None or found.owner != request[OWNER]:
        raise refuse("PERMISSION_DENIED", f"No permission for {_name(request)}, or there is none.")
    return found


def _add_document(
    request: web.Request, search_store: SearchStore, session: UploadSession, blob: Blob
) -> dict[str, Any]:
    """The operation as the upload's answer shows it: it is done when it is next asked for."""
    store, parent = request.app[STORE], _name(request)
    document, operation = store.new_id(), store.new_id()
    search_store.documents[document] = {
        "name": f"{parent}/documents/{document}",
        "displayName": session.spec.get("displayName", ""),
        "mimeType": session.mime_type,
        "sizeBytes": str(blob.size),
        "state": "STATE_ACTIVE",
    }
    named = {"name": f"{parent}/upload/operations/{operation}"}
    search_store.operations[operation] = named | {
        "done": True,
        "response": {
            "@type": ANSWER_TYPE,
            "parent": parent,
            "documentName": f"{parent}/documents/{document}",
        },
    }
    return named
