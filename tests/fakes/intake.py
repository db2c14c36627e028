"""Reading a request's body: counted, slowed down, and cut off where a fault says so."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError

from .faults import CUTS, Fault
from .journal import EXCHANGE, MIB, Exchange

JSON_LIMIT = 64 * MIB


class BodyBroken(ConnectionError):
    """The body was cut off: the client left, or a fault did it."""


class BodyTooLong(Exception):
    """More JSON than the fake keeps in memory."""


@dataclass
class Pace:
    """Limits a stream to `rate` bytes a second; None for no limit."""

    rate: int | None
    started: float | None = None
    count: int = 0

    async def passed(self, count: int) -> None:
        if self.rate is None:
            return
        now = asyncio.get_running_loop().time()
        self.started = now if self.started is None else self.started
        self.count += count
        ahead = self.started + self.count / self.rate - now
        if ahead > 0:
            await asyncio.sleep(ahead)


async def body_chunks(request: web.Request) -> AsyncIterator[bytes]:
    """Yield the body as it arrives; raises BodyBroken if it is cut off."""
    exchange = request[EXCHANGE]
    pace = Pace(exchange.settings.read_rate)
    try:
        async for chunk in request.content.iter_any():
            async for piece in _until_fault(exchange, chunk):
                exchange.took(len(piece))
                yield piece
            await pace.passed(len(chunk))
    except BodyBroken:
        raise
    except (ConnectionError, web.RequestPayloadError) as error:
        if isinstance(error.__cause__, ContentEncodingError):
            raise web.HTTPBadRequest(text="The body is not in its Content-Encoding.") from error
        raise BodyBroken("the client's body broke off") from error


async def _until_fault(exchange: Exchange, chunk: bytes) -> AsyncIterator[bytes]:
    fault = exchange.fault
    if fault is None or fault.after_bytes is None or fault.kind in CUTS:
        yield chunk
        return
    left = fault.after_bytes - exchange.received
    if not 0 <= left <= len(chunk):
        yield chunk
        return
    if left:
        yield chunk[:left]
    await _strike(exchange, fault)
    if chunk[left:]:
        yield chunk[left:]


async def _strike(exchange: Exchange, fault: Fault) -> None:
    exchange.fire(fault.name)
    if fault.kind == "delay":
        await fault.released.wait()
    elif fault.kind in ("reset", "reject_after"):
        raise BodyBroken(f"fault {fault.name}")


async def read_whole(request: web.Request, limit: int = JSON_LIMIT) -> bytes:
    body = bytearray()
    async for chunk in body_chunks(request):
        body += chunk
        if len(body) > limit:
            raise BodyTooLong
    return bytes(body)


async def read_json(request: web.Request, limit: int = JSON_LIMIT) -> Any:
    """The body as JSON; raises orjson.JSONDecodeError and BodyTooLong."""
    return orjson.loads(await read_whole(request, limit))


async def drain(request: web.Request) -> None:
    async for _ in body_chunks(request):
        pass
