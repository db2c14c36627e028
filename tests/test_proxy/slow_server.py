"""Serves like the proxy, with responses that take as long as their client wants."""

import asyncio
import logging
import os

from aiohttp import web
from aiohttp.typedefs import Handler

from proxy.background import BACKGROUND, BackgroundTasks
from proxy.log_lines import log_to_stderr
from proxy.metrics import Metrics
from proxy.metrics_page import METRICS, PAGE, MetricsPage
from proxy.serving import serve
from proxy.settings import load
from proxy.state_probe import PROBE, StateProbe
from tests.memory_state import MemoryState
from tests.test_proxy.kinds import kinds

_log = logging.getLogger(__name__)


async def slow(request: web.Request) -> web.Response:
    """Answers once the request's body has ended."""
    _log.info("begun")
    try:
        return web.Response(body=await request.read())
    except asyncio.CancelledError:
        _log.info("cancelled")
        raise


async def undoing(request: web.Request) -> web.Response:
    """As `slow`, but it takes time to undo what it began."""
    try:
        return await slow(request)
    except asyncio.CancelledError:
        await asyncio.sleep(1.5)
        _log.info("undone")
        raise


class LateBody(web.StreamResponse):
    """A body that is created only when it is sent, after every middleware has returned."""

    def __init__(self, inbound: web.Request) -> None:
        super().__init__()
        self._inbound = inbound

    async def write_eof(self, data: bytes = b"") -> None:
        _log.info("begun")
        await self.write(await self._inbound.read())
        await super().write_eof()


async def late(request: web.Request) -> web.StreamResponse:
    return LateBody(request)


@web.middleware
async def reject_other_paths(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Like a chain without health endpoints."""
    if request.path not in {"/slow", "/late", "/undoing"}:
        raise web.HTTPForbidden
    return await handler(request)


async def prepare_to_end() -> None:
    _log.info("preparing")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        _log.info("prepared for long enough")
        raise


async def main() -> None:
    log_to_stderr()
    app = web.Application(middlewares=[reject_other_paths])
    if "SLOW_SERVER_PREPARES" in os.environ:
        app[BACKGROUND] = BackgroundTasks()
        app[BACKGROUND].before_end(prepare_to_end)
    app[METRICS] = Metrics("test")
    app[PAGE] = MetricsPage(app[METRICS], lambda: None)
    app[PROBE] = StateProbe(MemoryState())
    app.cleanup_ctx.append(app[PROBE].running)
    app.router.add_post("/slow", slow)
    app.router.add_post("/late", late)
    app.router.add_post("/undoing", undoing)
    await serve(app, load(kinds(gemini=set())))


if __name__ == "__main__":
    asyncio.run(main())
