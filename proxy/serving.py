"""Runs the application on its sockets, from start to drain."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import hdrs, web
from yarl import URL

from proxy.health import STATE, Health, Phase
from proxy.settings import Settings

READ_BUFFER_BYTES: Final = 64 << 10  # streaming.md: as fast as the default, and bounds memory
MAX_FIELD_BYTES: Final = 16 << 10  # a sealed upload URL is longer than the default lets through

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_log: Final = logging.getLogger(__name__)


async def serve(
    app: web.Application,
    settings: Settings,
    *,
    reuse_port: bool = False,
    lifeline: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal ends the process at once.

    `reuse_port` shares the port with other processes. `lifeline` is a descriptor that a parent
    holds open: when it ends, so does this. Raises OSError where it cannot listen.
    """
    stop = _stop_on_signals()
    if lifeline is not None:
        asyncio.get_running_loop().add_reader(lifeline, stop.set)
    health, in_flight = Health(app.get(STATE)), InFlight()
    _equip(app, health, in_flight, health_too=settings.admin_port is None)
    async with _admin_site(health, settings, reuse_port) as admin_url:
        async with _main_site(app, settings, in_flight, reuse_port) as url:
            health.phase = Phase.SERVING
            urls = {"url": url, "admin_url": admin_url}
            _log.info("listening", extra={**urls, "pid": os.getpid()})
            await stop.wait()
            health.phase = Phase.DRAINING
            _log.info("draining", extra={"seconds": settings.drain_seconds})
    _log.info("stopped")

@asynccontextmanager
async def _site(
    runner: web.AppRunner, host: str, port: int, reuse_port: bool
) -> AsyncIterator[str]:
    """Listening; yields the URL. Leaving takes no new connection and waits for those at work."""
    try:
        await runner.setup()
        site = web.TCPSite(runner, host, port, reuse_port=reuse_port or None)
        await site.start()
        yield str(URL.build(scheme="http", host=host, port=site.port))
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _admin_site(
    health: Health, settings: Settings, reuse_port: bool
) -> AsyncIterator[str | None]:
    """Around the main site, so that a drain can be watched."""
    if settings.admin_port is None:
        yield None
        return
    app = web.Application()
    app.add_routes(health.routes())
    app.on_response_prepare.append(_name_no_server)
    runner = web.AppRunner(app, access_log=None)
    async with _site(runner, settings.host, settings.admin_port, reuse_port) as url:
        yield url


async def _name_no_server(_: web.Request, response: web.StreamResponse) -> None:
    """aiohttp names itself and Python with their versions, which is nobody's business."""
    response.headers[hdrs.SERVER] = "genai-ferry"


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop
