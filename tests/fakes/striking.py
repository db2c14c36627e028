"""What each kind of fault does to the request that it applies to.

lose_answer   do the work, then drop the connection without an answer
reset         reset the connection after `after_bytes` of the body, or at the end of a shorter one
status        answer `status`, `headers`, `body`; first read the body unless `read_body` is false
delay         wait for the release: `at` "request" or "answer", or after `after_bytes` of the body
pause         send `after_bytes` of the answer, and the rest after the release
truncate      send the full Content-Length, then `after_bytes` of the answer, then close
cut_chunks    send `after_bytes` of the answer in chunks, then close without the last chunk
reject_after  answer `status` after `after_bytes` of the body, while it still arrives, then close
trickle       send the headers of the answer, and then a few bytes a second
excess        declare a Content-Length of `after_bytes`, and send the whole answer
compress      send the answer in gzip, whatever the request accepts
"""

import asyncio
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import hdrs, web

from .blob import BlobResponse
from .event_stream import EventsResponse
from .faults import CUTS, SPOILED, Fault
from .intake import BodyBroken, drain
from .journal import Exchange

TRICKLE_SECONDS = 0.3
"""Between two bytes."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def strike(
    request: web.Request, handler: Handler, exchange: Exchange, fault: Fault | None
) -> web.StreamResponse:
    """Handle the request as the fault says; raises ConnectionError if the client has left."""
    if fault is None:
        response = await handler(request)
        await asyncio.sleep(exchange.settings.answer_delay)
        return await _send(request, response)
    if fault.kind == "status":
        return await _answer_status(request, exchange, fault)
    if fault.kind == "delay" and fault.at == "request" and fault.after_bytes is None:
        await _hold(exchange, fault)
    try:
        response = await handler(request)
    except BodyBroken:
        if fault.kind not in ("reset", "reject_after"):
            raise
        response = web.Response()
    if fault.kind == "pause":
        return await _pause(request, exchange, response, fault)
    if fault.kind == "delay":
        if fault.at == "answer":
            await _hold(exchange, fault)
        return await _send(request, response)
    if fault.kind in SPOILED:
        exchange.fire(fault.name)
        return await _spoil(request, response, fault)
    return await _break_off(request, exchange, fault, response)


async def _hold(exchange: Exchange, fault: Fault) -> None:
    exchange.fire(fault.name)
    await fault.released.wait()


async def _answer_status(
    request: web.Request, exchange: Exchange, fault: Fault
) -> web.StreamResponse:
    if fault.read_body:
        await drain(request)
    exchange.fire(fault.name)
    exchange.end("status", fault.status)
    return _fault_answer(fault)


async def _break_off(
    request: web.Request, exchange: Exchange, fault: Fault, response: web.StreamResponse
) -> web.StreamResponse:
    exchange.end(fault.kind, fault.status if fault.kind == "reject_after" else None)
    exchange.fire(fault.name)
    if fault.kind in CUTS:
        await _send_start(request, response, fault)
        return abandon(request, abruptly=False)
    if fault.kind == "lose_answer":
        return abandon(request, abruptly=False)
    if fault.kind == "reset":
        return abandon(request)
    answer = _fault_answer(fault)
    answer.force_close()
    await answer.prepare(request)
    await answer.write_eof()
    # Close only our half: closing both would reset the connection and could lose the answer.
    if request.transport is not None and request.transport.can_write_eof():
        request.transport.write_eof()
    return answer


async def _send(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if isinstance(response, BlobResponse):
        await response.send(request)
    if isinstance(response, EventsResponse):
        return await response.sent(request)
    return response


async def _pause(
    request: web.Request, exchange: Exchange, response: web.StreamResponse, fault: Fault
) -> web.StreamResponse:
    body, limit = _body_of(response), fault.after_bytes or 0
    paused = web.StreamResponse(status=response.status, headers=response.headers)
    _frame(paused, len(body), fault)
    await paused.prepare(request)
    await paused.write(body[:limit])
    await _hold(exchange, fault)
    await paused.write(body[limit:])
    return paused


async def _spoil(
    request: web.Request, response: web.StreamResponse, fault: Fault
) -> web.StreamResponse:
    body = _body_of(response)
    if not body or request.method == "HEAD":
        return await _send(request, response)
    if fault.kind == "compress":
        body = gzip.compress(body)
    spoiled = web.StreamResponse(status=response.status, headers=response.headers)
    spoiled.content_length = (fault.after_bytes or 0) if fault.kind == "excess" else len(body)
    if fault.kind == "compress":
        spoiled.headers[hdrs.CONTENT_ENCODING] = "gzip"
    await spoiled.prepare(request)
    if fault.kind == "excess":
        # Written to the transport, because the response would cut it at its length.
        if request.transport is not None:
            request.transport.write(body)
    elif fault.kind == "trickle":
        for place in range(len(body)):
            await spoiled.write(body[place : place + 1])
            await asyncio.sleep(TRICKLE_SECONDS)
    else:
        await spoiled.write(body)
    return spoiled


def _body_of(response: web.StreamResponse) -> bytes:
    if isinstance(response, BlobResponse):
        return b"".join(response.blob.pieces())
    body = response.body if isinstance(response, web.Response) else None
    return body if isinstance(body, bytes) else b""


async def _send_start(request: web.Request, response: web.StreamResponse, fault: Fault) -> None:
    """Send headers that promise the whole answer, and `after_bytes` of it."""
    limit = fault.after_bytes or 0
    if isinstance(response, BlobResponse):
        _frame(response, response.blob.size, fault)
        await response.send(request, limit)
    elif isinstance(response, web.Response):
        body = _body_of(response)
        cut = web.StreamResponse(status=response.status, headers=response.headers)
        _frame(cut, len(body), fault)
        await cut.prepare(request)
        await cut.write(body[:limit])


def _frame(response: web.StreamResponse, size: int, fault: Fault) -> None:
    if fault.kind == "truncate":
        response.content_length = size
    else:
        response.content_length = None
        response.enable_chunked_encoding()


def _fault_answer(fault: Fault) -> web.Response:
    text = isinstance(fault.answer_body, str)
    body = fault.answer_body.encode() if text else orjson.dumps(fault.answer_body)
    headers = {hdrs.CONTENT_TYPE: "text/plain" if text else "application/json"}
    return web.Response(status=fault.status, body=body, headers=headers | fault.answer_headers)


def abandon(request: web.Request, abruptly: bool = True) -> web.StreamResponse:
    """Close the connection without sending more: with a reset, or normally."""
    transport = request.transport
    if transport is not None and abruptly:
        peer: socket.socket | None = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    elif transport is not None:
        transport.close()
    return web.Response()
