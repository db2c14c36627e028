"""The middleware that logs every request and applies faults, and the tests' API under `/_fake/`.

GET  /_fake/requests[?path=REGEX&method=M]   the log: no credentials, only the sha256 of each
GET  /_fake/events?wait=NAME                 until the fault of that name struck
GET  /_fake/events?wait=bytes&path=REGEX&count=N     until N bytes of a matching body are here
GET  /_fake/events?wait=requests&path=REGEX&count=N  until N matching requests have ended
GET  /_fake/events?wait=asked&path=REGEX&count=N     until N matching requests have asked a model
     (`method=M` and `outcome=O` narrow the match; after `timeout` seconds, 30 by default: 408)
POST /_fake/faults     {"match": {method, path, query, headers, nth, times},
                        "fault": {kind, name, ...}}, see `striking` for the kinds
DELETE /_fake/faults   disarm all, and end their delays
POST /_fake/release    {"name"}: end the delay of that name
POST /_fake/settings   any of journal.Settings; GET shows them
GET  /_fake/objects    {"files": [...], "uploads": [...], "batches": [...]} of every owner
GET  /_fake/files/{id}/sha256
POST /_fake/batches/{id}, POST /_fake/uploads/{id}   see each fake's `backdoor`
GET, POST /_fake/snapshot   see `snapshot`
POST /_fake/reset      forget everything, including the settings
"""

import asyncio
import re
from dataclasses import asdict
from typing import Any, Protocol

from aiohttp import web

from .faults import FaultTable
from .journal import EXCHANGE, Exchange, Journal, Settings
from .refusal import Refusal
from .shape import Anything, Flag, Nullable, Number, Record, ShapeError, Table, Text
from .striking import Handler, abandon, strike

WHOLE = Number(low=1, whole=True)
SETTINGS = Record(
    {
        "uploads_api": Flag(),
        "keeps_metadata": Flag(),
        "read_rate": Nullable(WHOLE),
        "write_rate": Nullable(WHOLE),
        "auto_advance": Flag(),
        "granularity": WHOLE,
        "page_limit": Nullable(WHOLE),
        "answer_bytes": Number(low=0, whole=True),
        "answer": Table(Anything()),
        "answer_delay": Number(low=0),
        "body_as_text": Flag(),
        "upload_seconds": WHOLE,
        "pending_reads": Number(low=0, whole=True),
        "results_url": Nullable(Text(low=1)),
        "beta_file_list": Flag(),
        "min_records": WHOLE,
    }
)


class Backdoor(Protocol):
    """What tests can see and control behind a fake's API. Unknown ids raise KeyError."""

    def objects(self) -> dict[str, list[str]]: ...
    async def file_sha256(self, native_id: str) -> str: ...
    async def steer_batch(self, native_id: str, order: Any) -> dict[str, Any]: ...
    def steer_upload(self, native_id: str, order: Any) -> dict[str, Any]: ...
    def clear(self) -> None: ...
    def close(self) -> None: ...


class Control:
    def __init__(self, backdoor: Backdoor, settings: Settings) -> None:
        self.backdoor = backdoor
        self.settings = settings
        self._at_first = asdict(settings)
        self.journal = Journal(settings)
        self.faults = FaultTable()

    def start_with(self, **settings: Any) -> None:
        """Settings other than the defaults, which a reset restores."""
        self._at_first |= settings
        for name, value in settings.items():
            setattr(self.settings, name, value)

    def reset(self) -> None:
        for name, value in self._at_first.items():
            setattr(self.settings, name, value)
        self.faults.clear()
        self.journal.clear()
        self.backdoor.clear()


CONTROL: web.AppKey[Control] = web.AppKey("control", Control)


@web.middleware
async def control_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost: log the request, apply its fault, and note whether the client left."""
    if request.path.startswith("/_fake/"):
        return await handler(request)
    control = request.app[CONTROL]
    exchange = control.journal.open(request)
    request[EXCHANGE] = exchange
    headers = {name.lower(): value for name, value in request.headers.items()}
    fault = control.faults.take(request.method, request.path, request.query_string, headers)
    exchange.fault = fault
    try:
        response = await strike(request, handler, exchange, fault)
    except ConnectionError:
        outcome = "body_broken" if exchange.sent == 0 else "client_gone"
        exchange.end(outcome)
        return abandon(request)
    except asyncio.CancelledError:
        exchange.end("client_gone")
        raise
    if exchange.outcome == "open":
        exchange.end("answered", response.status)
    return response


# --- the tests' API ---------------------------------------------------------------------------


def _matching(request: web.Request) -> list[Exchange]:
    query = request.query
    path = re.compile(query.get("path", ""))
    return [
        exchange
        for exchange in request.app[CONTROL].journal.exchanges
        if path.search(exchange.path)
        and query.get("method") in (None, exchange.method)
        and query.get("outcome") in (None, exchange.outcome)
    ]


async def show_requests(request: web.Request) -> web.Response:
    return web.json_response({"requests": [exchange.render() for exchange in _matching(request)]})


async def wait_for_event(request: web.Request) -> web.Response:
    journal = request.app[CONTROL].journal
    wanted = request.query["wait"]
    count = int(request.query.get("count", "1"))

    def holds() -> bool:
        if wanted == "bytes":
            return any(exchange.received >= count for exchange in _matching(request))
        if wanted == "asked":
            return sum(exchange.asked is not None for exchange in _matching(request)) >= count
        if wanted == "requests":
            return sum(exchange.outcome != "open" for exchange in _matching(request)) >= count
        return wanted in journal.fired

    try:
        async with asyncio.timeout(float(request.query.get("timeout", "30"))):
            await journal.changes.until(holds)
    except TimeoutError:
        return web.json_response({"error": f"{wanted} did not happen"}, status=408)
    return web.json_response({"event": wanted})


async def arm_fault(request: web.Request) -> web.Response:
    return web.json_response({"name": request.app[CONTROL].faults.arm(await request.json()).name})


async def disarm_faults(request: web.Request) -> web.Response:
    request.app[CONTROL].faults.clear()
    return web.json_response({})


async def release(request: web.Request) -> web.Response:
    if not request.app[CONTROL].faults.release((await request.json())["name"]):
        raise KeyError("no fault of that name")
    return web.json_response({})


async def change_settings(request: web.Request) -> web.Response:
    settings = request.app[CONTROL].settings
    if request.method == "POST":
        for name, value in SETTINGS.parse(await request.json()).items():
            setattr(settings, name, value)
    return web.json_response(asdict(settings))


async def show_objects(request: web.Request) -> web.Response:
    return web.json_response(request.app[CONTROL].backdoor.objects())


async def show_sha256(request: web.Request) -> web.Response:
    found = await request.app[CONTROL].backdoor.file_sha256(request.match_info["id"])
    return web.json_response({"sha256": found})


async def steer_batch(request: web.Request) -> web.Response:
    backdoor = request.app[CONTROL].backdoor
    return web.json_response(
        await backdoor.steer_batch(request.match_info["id"], await request.json())
    )


async def steer_upload(request: web.Request) -> web.Response:
    backdoor = request.app[CONTROL].backdoor
    return web.json_response(backdoor.steer_upload(request.match_info["id"], await request.json()))


async def reset(request: web.Request) -> web.Response:
    request.app[CONTROL].reset()
    return web.json_response({})


def answering_errors(handler: Handler) -> Handler:
    """Answer a mistake of the test with 400 and its reason, not with 500."""

    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (ShapeError, Refusal, KeyError, ValueError, re.error) as error:
            return web.json_response({"error": repr(error)}, status=400)

    return answered


def install(app: web.Application, backdoor: Backdoor, settings: Settings) -> None:
    """Give `app` a control of its own; `control_middleware` must be its first middleware."""
    join(app, Control(backdoor, settings))

    async def close_store(_: web.Application) -> None:
        backdoor.close()

    app.on_cleanup.append(close_store)


def join(app: web.Application, control: Control) -> None:
    """Let `app` share another app's control: one log, one table of faults, one API for tests."""
    app[CONTROL] = control
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/_fake/requests", show_requests),
        ("GET", "/_fake/events", wait_for_event),
        ("POST", "/_fake/faults", arm_fault),
        ("DELETE", "/_fake/faults", disarm_faults),
        ("POST", "/_fake/release", release),
        ("GET", "/_fake/settings", change_settings),
        ("POST", "/_fake/settings", change_settings),
        ("GET", "/_fake/objects", show_objects),
        ("GET", "/_fake/files/{id:.+}/sha256", show_sha256),
        ("POST", "/_fake/batches/{id}", steer_batch),
        ("POST", "/_fake/uploads/{id}", steer_upload),
        ("POST", "/_fake/reset", reset),
    ]
    for method, path, handler in routes:
        app.router.add_route(method, path, answering_errors(handler))
