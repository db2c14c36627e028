"""The addresses on which the proxy listens: the main one, and the one for health and metrics."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import hdrs, web

from middlewares.trusted_proxies import TrustedProxies
from providers.limits import HTTP_FIELD
from proxy.background import beside
from proxy.connection import NO_DEADLINES, ConnectionServer, Deadlines, EnvelopeRunner
from proxy.connection_slots import ConnectionSlots, Limit
from proxy.descriptors import connections_possible
from proxy.health import Health
from proxy.http_errors import SERVER_NAME, TOO_MANY_CONNECTIONS, closing_response
from proxy.listener import Listener
from proxy.metrics_page import METRICS
from proxy.read_buffers import READ_BUFFER_BYTES
from proxy.settings import Settings

CUT_SECONDS: Final = 0.5  # how long a request may continue after the drain before it is cancelled
ADMIN_CONNECTIONS: Final = 32


@asynccontextmanager
async def main_site(
    app: web.Application,
    health: Health | None,
    settings: Settings,
    tls: ssl.SSLContext | None,
    *,
    reuse_port: bool,
) -> AsyncIterator[Listener]:
    """The application. `health` is answered also if there are too many connections."""
    metrics, limit = app[METRICS], int(min(settings.max_connections, connections_possible()))
    metrics.connection_limit.set(limit)
    for each in Limit:  # a series that begins above 0 shows no first increase
        metrics.refused_connections.labels(each)
    slots = ConnectionSlots(
        limit,
        settings.max_connections_per_peer,
        TrustedProxies(settings.trusted_proxies),
        metrics.open_connections.set,
        lambda reached: metrics.refused_connections.labels(reached).inc(),
    )
    address = settings.host, settings.port
    runner = application_runner(app, deadlines_of(settings))
    async with site(runner, health, address, slots, tls, reuse_port=reuse_port) as listener:
        yield listener


@asynccontextmanager
async def admin_site(
    health: Health, settings: Settings, *, reuse_port: bool
) -> AsyncIterator[Listener | None]:
    """Runs as long as the main site and its drain, so that the drain can be observed.

    Without TLS: probes and scrapers come from inside, and check no certificate.
    """
    if settings.admin_address is None:
        yield None
        return
    app = web.Application()
    app.add_routes(health.routes())
    app.on_response_prepare.append(set_server_name)
    slots = ConnectionSlots(ADMIN_CONNECTIONS, ADMIN_CONNECTIONS, TrustedProxies(()))
    runner = application_runner(app, deadlines_of(settings))
    async with site(
        runner, health, settings.admin_address, slots, None, reuse_port=reuse_port
    ) as listener:
        yield listener


def application_runner(app: web.Application, deadlines: Deadlines = NO_DEADLINES) -> EnvelopeRunner:
    return EnvelopeRunner(
        app,
        deadlines,
        handler_cancellation=True,  # cancels the upstream call if the client disconnects
        access_log=None,
        auto_decompress=False,
        read_bufsize=READ_BUFFER_BYTES,
        max_line_size=HTTP_FIELD,
        max_field_size=HTTP_FIELD,
        shutdown_timeout=CUT_SECONDS,
    )


def deadlines_of(settings: Settings) -> Deadlines:
    return Deadlines(settings.header_seconds, settings.idle_seconds, settings.stall_seconds)


async def set_server_name(_: web.Request, response: web.StreamResponse) -> None:
    """Replaces aiohttp's header, which reveals the versions of aiohttp and Python."""
    response.headers[hdrs.SERVER] = SERVER_NAME


@asynccontextmanager
async def site(
    runner: EnvelopeRunner,
    health: Health | None,
    address: tuple[str, int],
    slots: ConnectionSlots,
    tls: ssl.SSLContext | None,
    *,
    reuse_port: bool,
) -> AsyncIterator[Listener]:
    """A listening site; at the end of the block all its connections are closed.

    If it cannot start, what the application has opened until then is closed.
    """
    deadlines = runner.deadlines
    surplus = ConnectionServer(_too_many(health), deadlines, access_log=None)
    try:
        await runner.setup()
        listener = Listener(address, runner.connections, surplus, slots, tls, deadlines.header)
        async with beside(runner.connections.watch(), surplus.watch()):
            try:
                await listener.open(reuse_port=reuse_port)
                yield listener
            finally:
                listener.close()
    finally:
        await surplus.shutdown(CUT_SECONDS)
        await runner.cleanup()


def _too_many(
    health: Health | None,
) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    """Answers on connections beyond the limits: health, and otherwise that there are too many."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        found = None if health is None else health.answer_to(request)
        if found is None:
            return closing_response(TOO_MANY_CONNECTIONS)
        response = await found
        response.headers[hdrs.SERVER] = SERVER_NAME
        response.force_close()
        return response

    return answer
