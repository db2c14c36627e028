"""Deletes objects of the state store that have expired."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from providers.errors import FerryError
from providers.state import ObjectInfo, State
from providers.stored_objects import Life, row_of
from proxy.background import beside
from proxy.quotas import Usage
from proxy.unfinished_uploads import Count, count_once_an_hour, count_parts

INTERVAL_SECONDS: Final = 3600.0
# The shortest time between two sweeps.
SOONEST_SECONDS: Final = 60.0

# The clock of this machine, or of the store, may be ahead or have been corrected.
CLOCK_MARGIN: Final = timedelta(minutes=15)

# A sweep of a large store takes long, since each page of its list waits for the one before. The
# pause after it is this many times as long. So the calls of one replica have a limit, however many
# objects there are, and the calls of all replicas grow only with the number of replicas.
_REST: Final = 9.0

# Spreads the sweeps of replicas that started together.
_JITTER: Final = 0.1

Deleted = Callable[[str], None]
Kept = Callable[[ObjectInfo], None]

_log: Final = logging.getLogger(__name__)


def _ignore(_: object) -> None:
    pass


async def sweep(
    state: State,
    now: datetime,
    upload_ttl: timedelta,
    state_ttl: timedelta,
    deleted_one: Deleted = _ignore,
    kept_one: Kept = _ignore,
    count: Count = count_parts,
) -> int:
    """Deletes expired objects and returns their number. Other replicas may do the same.

    `deleted_one` is called with the name of each, `kept_one` with each other object, and with what
    `count` says of unfinished uploads.
    """
    try:
        await state.multipart.abort_before(now - upload_ttl - CLOCK_MARGIN)
        for name, size in (await count(state, now)).items():
            kept_one(ObjectInfo(name, size, now))
    except FerryError as error:
        # A credential may lack only this permission, so the objects are swept anyway.
        _log.warning("unfinished uploads could not be aborted or counted: %s", error.message)
    lives = {
        Life.UPLOAD: upload_ttl,
        Life.STATE: state_ttl,
        Life.LONGER: state_ttl + upload_ttl,
        Life.UNLIMITED: timedelta.max,
    }
    deleted = 0
    async for info in state.list(""):
        row = row_of(info.name)
        # An object outside the table is of another version.
        if now - info.created - CLOCK_MARGIN > lives[row.life if row else Life.STATE]:
            await state.delete(info.name)
            deleted_one(info.name)
            deleted += 1
        else:
            kept_one(info)
    return deleted


def sweeping(
    state: State,
    usage: Usage,
    upload_ttl: timedelta,
    state_ttl: timedelta,
    deleted_one: Deleted = _ignore,
) -> Callable[[web.Application], AsyncIterator[None]]:
    """For `app.cleanup_ctx`: sweeps at the start, and then hourly, or soon if `usage` wants it."""

    async def context(_: web.Application) -> AsyncIterator[None]:
        async with beside(_sweep_periodically(state, usage, upload_ttl, state_ttl, deleted_one)):
            yield

    return context


async def _sweep_periodically(
    state: State,
    usage: Usage,
    upload_ttl: timedelta,
    state_ttl: timedelta,
    deleted_one: Deleted,
) -> None:
    while True:
        # After a refusal, deletes count soon.
        count = count_parts if usage.sweep_wanted.is_set() else count_once_an_hour
        census, began = usage.census(), time.monotonic()
        try:
            now = datetime.now(UTC)
            await sweep(state, now, upload_ttl, state_ttl, deleted_one, census.count, count)
            census.end()
        except Exception as error:  # from any store; the next sweep tries again
            _log.warning("a sweep of the state store failed: %s", type(error).__name__)
        pause = pause_after(time.monotonic() - began)
        await asyncio.sleep(SOONEST_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause * random.uniform(1 - _JITTER, 1 + _JITTER)):  # noqa: S311
                await usage.sweep_wanted.wait()


def pause_after(seconds: float) -> float:
    """How long to wait after a sweep that took so long."""
    return max(INTERVAL_SECONDS, _REST * seconds)
