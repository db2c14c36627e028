"""Runs the application on its sockets, from start to drain."""

import asyncio
import logging
import os
import signal
from contextlib import suppress
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from middlewares.trusted_proxies import TrustedProxies
from proxy.background import BACKGROUND, BackgroundTasks
from proxy.health import Health, Phase
from proxy.listener_tls import listener_tls
from proxy.metrics_page import METRICS, PAGE
from proxy.peer_requests import limit_peer_requests
from proxy.settings import Settings
from proxy.sites import admin_site, main_site, set_server_name
from proxy.state_probe import PROBE

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_UNDO_SECONDS: Final = 5.0

_log: Final = logging.getLogger(__name__)


class InFlight:
    """Tracks the requests in flight, so that the drain can wait for them.

    aiohttp's own shutdown discards the data that an open request still receives, which would break
    uploads. So it begins only after these requests have ended.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def middleware(self) -> Middleware:
        @web.middleware
        async def in_flight(request: web.Request, handler: Handler) -> web.StreamResponse:
            # The task outlives this call, since it also sends the response with its body.
            task = asyncio.current_task()
            if task is not None:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            return await handler(request)

        return in_flight

    async def wait_ended(self, seconds: float) -> None:
        """Waits up to `seconds` until all requests have ended, also new ones."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._tasks:
                    await asyncio.wait(self._tasks)

    async def cut_off(self) -> None:
        """Ends those that are left. They have some seconds to undo what they began."""
        left = set(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_UNDO_SECONDS)


async def serve(
    app: web.Application,
    settings: Settings,
    *,
    reuse_port: bool = False,
    lifeline: int | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then drains; a second signal ends the process immediately.

    After SIGTERM it still accepts connections for the time of grace, so that load balancers can
    notice that it is not ready. Only SIGTERM comes from an orchestrator, so only it has a grace.

    `reuse_port` shares the port with other processes. `lifeline` is a descriptor that the parent
    process keeps open: when it closes, this process stops. Raises OSError if it cannot listen.
    """
    stop = _stop_on_signals()
    if lifeline is not None:
        _stop_at_end_of(lifeline, stop)
    health, in_flight = Health(app.get(PROBE), app.get(PAGE)), InFlight()
    background = app.get(BACKGROUND) or BackgroundTasks()
    here = health if settings.admin_address is None else None
    _install(app, settings, health, here, in_flight)
    async with (
        listener_tls(settings) as tls,
        admin_site(health, settings, reuse_port=reuse_port) as admin,
    ):
        async with main_site(app, here, settings, tls, reuse_port=reuse_port) as site:
            health.phase = Phase.SERVING
            urls = {"url": site.url, "admin_url": admin and admin.url}
            process = {"pid": os.getpid(), "max_connections": site.slots.total}
            _log.info("listening", extra={**urls, **process})
            grace = settings.drain_grace_seconds if await stop == signal.SIGTERM else 0.0
            health.phase = Phase.DRAINING
            limits = {"grace_seconds": grace, "seconds": settings.drain_seconds}
            _log.info("draining", extra=limits)
            await asyncio.sleep(grace)
            site.close()
            _log.info("closed to new connections")
            await asyncio.gather(
                in_flight.wait_ended(settings.drain_seconds),
                background.prepare_to_end(settings.drain_seconds),
            )
            await in_flight.cut_off()
    _log.info("stopped")


def _install(
    app: web.Application,
    settings: Settings,
    health: Health,
    here: Health | None,
    in_flight: InFlight,
) -> None:
    """Adds what serving needs in front of the application's own middlewares.

    `here` is `health` if the application itself answers it.
    """
    if here is not None:
        app.middlewares.insert(0, here.middleware())
    app.middlewares.insert(0, in_flight.middleware())
    proxies = TrustedProxies(settings.trusted_proxies)
    refused = app[METRICS].refused_requests
    app.middlewares.insert(
        0,
        limit_peer_requests(settings.max_connections_per_peer, proxies, lambda _: refused.inc()),
    )

    async def close_when_draining(_: web.Request, response: web.StreamResponse) -> None:
        if health.phase is Phase.DRAINING:
            response.force_close()
            # aiohttp has already set the headers. Unannounced, a client would send its next request
            # on the connection while it is closed.
            response.headers[hdrs.CONNECTION] = "close"

    app.on_response_prepare.extend((set_server_name, close_when_draining))


# --- the end ---------------------------------------------------------------------------------


def _stop_on_signals() -> asyncio.Future[signal.Signals | None]:
    """Gets the signal as its result, or None if the parent process has ended."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[signal.Signals | None] = loop.create_future()

    def on_signal(number: signal.Signals) -> None:
        if stop.done():
            os._exit(1)
        stop.set_result(number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    return stop


def _stop_at_end_of(lifeline: int, stop: asyncio.Future[signal.Signals | None]) -> None:
    loop = asyncio.get_running_loop()

    def on_end() -> None:
        loop.remove_reader(lifeline)
        if not stop.done():
            stop.set_result(None)

    loop.add_reader(lifeline, on_end)
