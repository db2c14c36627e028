"""`/v1/batch/jobs` (mistral.md section 3)."""

import time
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from aiohttp import web

from ..blob import Blob
from ..calls import allow_query, no_body, read_object
from ..shape import Anything, Nullable, Number, Record, Sequence, ShapeError, Table, Text
from .answers import ANSWERS, serves
from .envelope import refuse
from .paging import choices, flag, numbered_page
from .progress import advance
from .results import read_outputs
from .store import OWNER, STORE, TERMINAL, MistralStore, StoredJob

ENDPOINTS = (
    "/v1/chat/completions",
    "/v1/embeddings",
    "/v1/fim/completions",
    "/v1/moderations",
    "/v1/chat/moderations",
    "/v1/ocr",
    "/v1/classifications",
    "/v1/chat/classifications",
    "/v1/conversations",
    "/v1/audio/transcriptions",
)
STATUSES = ("QUEUED", "RUNNING", "CANCELLATION_REQUESTED", *sorted(TERMINAL))
# Unverified: the limits of metadata and of the timeout, and the most files and inline requests.
METADATA = Table(Text(high=512), Text(low=1, high=64), high=16)
LONGEST_HOURS, MOST_INLINE, MOST_FILES = 168, 10_000, 100
CUSTOM_ID = Text(low=1, high=512)
# Unverified: what the result of a request without `custom_id` has; so it must be given here.
REQUEST = Record(
    {"custom_id": CUSTOM_ID, "body": Table(Anything())}, required=("custom_id", "body")
)
CREATE = Record(
    {
        "endpoint": Text(choices=ENDPOINTS),
        "input_files": Nullable(Sequence(Text(), low=1, high=MOST_FILES)),
        "requests": Nullable(Sequence(REQUEST, low=1, high=MOST_INLINE)),
        "model": Nullable(Text(low=1)),
        "agent_id": Nullable(Text(low=1)),
        "metadata": Nullable(METADATA),
        "timeout_hours": Number(low=1, high=LONGEST_HOURS, whole=True),
    },
    required=("endpoint",),
)
UNKNOWN_YET = ("output_file", "error_file", "started_at", "completed_at", "outputs")
COUNTS = ("total_requests", "completed_requests", "succeeded_requests", "failed_requests")


async def create_job(request: web.Request) -> web.Response:
    allow_query(request)
    spec = CREATE.parse(await read_object(request))
    store, owner = request.app[STORE], request[OWNER]
    input_files, requests = spec.get("input_files") or [], spec.get("requests")
    if bool(input_files) == bool(requests):
        raise ShapeError("value", "input_files", "Give either input_files or requests.")
    _check_served(spec)
    sources = [_source(store, owner, native_id) for native_id in input_files]
    resource: dict[str, Any] = {
        "id": store.new_id(),
        "object": "batch",
        "input_files": input_files,
        "endpoint": spec["endpoint"],
        "model": spec.get("model"),
        "agent_id": None,
        "metadata": spec.get("metadata"),
        "errors": [],
        "status": "QUEUED",
        "created_at": int(time.time()),
        **dict.fromkeys(COUNTS, 0),
        **dict.fromkeys(UNKNOWN_YET),
    }
    if requests is not None:
        sources = [_written(store, requests)]
    store.jobs[resource["id"]] = StoredJob(owner, resource, sources)
    return web.json_response(resource)


def _check_served(spec: dict[str, Any]) -> None:
    """Refuse what this fake does not serve, and unknown models."""
    if spec["endpoint"] not in ANSWERS:
        raise ShapeError("value", "endpoint", f"This fake does not serve {spec['endpoint']}.")
    if spec.get("agent_id") is not None:
        raise ShapeError("value", "agent_id", "This fake has no agents.")
    model = spec.get("model")
    if model is not None and not serves(model, spec["endpoint"]):
        raise refuse(400, f"Invalid model: {model}", param="model", code="unknown_model")


def _source(store: MistralStore, owner: str, native_id: str) -> Blob:
    try:
        UUID(native_id)
    except ValueError:
        raise ShapeError("value", "input_files", f"{native_id!r} is not a UUID.") from None
    file = store.files.get(native_id)
    if file is None or file.owner != owner or file.expired:
        raise refuse(404, f"No file matches the given query: {native_id}", param="input_files")
    kind = (file.resource["purpose"], file.resource["source"])
    if kind != ("batch", "upload"):
        raise refuse(400, f"The file {native_id} is not a batch input.", param="input_files")
    return file.blob


def _written(store: MistralStore, requests: list[dict[str, Any]]) -> Blob:
    with store.blobs.writing() as writer:
        for each in requests:
            writer.write(orjson.dumps(each) + b"\n")
        return writer.finish()


async def get_job(request: web.Request) -> web.Response:
    allow_query(request, "inline")
    store = request.app[STORE]
    job = store.job(request[OWNER], request.match_info["id"])
    inline = flag(request, "inline", "false")
    async with job.lock:
        if store.settings.auto_advance:
            await advance(store, job)
        shown = dict(job.resource)
    if inline and job.status in TERMINAL:
        shown["outputs"] = read_outputs(job)
    return web.json_response(shown)


async def list_jobs(request: web.Request) -> web.Response:
    """The filter `metadata` is refused: how a query carries an object is unverified."""
    names = ("page", "page_size", "model", "agent_id", "created_after", "created_by_me", "order_by")
    allow_query(request, *names, lists=("status",))
    query, statuses = request.query, choices(request, "status", STATUSES)
    flag(request, "created_by_me", "false")
    order = query.get("order_by", "-created")
    if order not in ("created", "-created"):
        raise ShapeError("value", "order_by", "order_by must be created or -created.")
    after = _moment(query.get("created_after"))
    jobs = [
        job.resource
        for job in request.app[STORE].jobs.values()
        if job.owner == request[OWNER]
        and query.get("model") in (None, job.resource["model"])
        and query.get("agent_id") in (None, job.resource["agent_id"])
        and (not statuses or job.status in statuses)
        and job.resource["created_at"] > after
    ]
    jobs = jobs if order == "created" else jobs[::-1]
    page = numbered_page(request, jobs)
    return web.json_response({"object": "list", "total": len(jobs), "data": page})


def _moment(text: str | None) -> float:
    if text is None:
        return 0
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise ShapeError("value", "created_after", f"{text!r} is not a time.") from None


async def cancel_job(request: web.Request) -> web.Response:
    """Unverified: that a job that has ended cannot be cancelled."""
    allow_query(request)
    await no_body(request)
    job = request.app[STORE].job(request[OWNER], request.match_info["id"])
    async with job.lock:
        if job.status in TERMINAL:
            raise refuse(400, f"A job with status {job.status} cannot be cancelled.")
        job.resource["status"] = "CANCELLATION_REQUESTED"
        return web.json_response(job.resource)


async def delete_job(request: web.Request) -> web.Response:
    """Unverified: that only ended jobs can be deleted, and that the result files remain."""
    allow_query(request)
    await no_body(request)
    store, native_id = request.app[STORE], request.match_info["id"]
    job = store.job(request[OWNER], native_id)
    if job.status not in TERMINAL:
        raise refuse(400, f"A job with status {job.status} cannot be deleted.")
    del store.jobs[native_id]
    return web.json_response({"id": native_id, "object": "batch", "deleted": True})
