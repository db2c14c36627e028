"""Gives each operation its deadline (contract.md section 8)."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from math import inf
from typing import Final, TypeVar

from aiohttp import web

from middlewares.operations import Timing
from middlewares.request_keys import GATEWAY, LIMITS, OBSERVATION, OPERATION
from providers.deadlines import CALL_LIMITS, SERVER_TIMEOUT, CallLimits
from providers.errors import invalid_argument

T = TypeVar("T")

_SECONDS: Final = re.compile(r"(?=.*[1-9])[0-9]{1,9}(\.[0-9]{1,9})?")


async def in_time(request: web.Request, work: Callable[[web.Request], Awaitable[T]]) -> T:
    """Sets the limits of the operation, does its work, and ends it when its time is over.

    The limits stay set, since a body may be read from upstreams later. Raises DEADLINE_EXCEEDED;
    the work is then cancelled as a whole, also its upstream call.
    """
    limits = request[LIMITS] = _limits(request)
    CALL_LIMITS.set(limits)
    timer = asyncio.timeout(None if limits.ends == inf else limits.seconds_left())
    try:
        async with timer:
            return await work(request)
    except TimeoutError:
        if not timer.expired():
            raise
        raise limits.exceeded() from None


def _limits(request: web.Request) -> CallLimits:
    limits, arrived = request.app[GATEWAY].time_limits, request[OBSERVATION].began
    match request[OPERATION].timing:
        case Timing.SHORT:
            return limits.short_call().within(_server_timeout(request), arrived)
        case Timing.MOVING:
            return limits.moving_call()
        case Timing.ANSWERED:
            return limits.answered_call().within(_server_timeout(request), arrived)
        case Timing.SENDING:
            return limits.sending_call(_server_timeout(request))
        case Timing.RELAYED:
            return limits.relayed_call(_server_timeout(request))


def _server_timeout(request: web.Request) -> float:
    """How long the client waits, as SDKs say it. Raises INVALID_ARGUMENT."""
    text = request.headers.get(SERVER_TIMEOUT)
    if text is None:
        return inf
    if not _SECONDS.fullmatch(text.strip()):
        raise invalid_argument(f"{SERVER_TIMEOUT} must be a number of seconds above 0")
    return float(text)
