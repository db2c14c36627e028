"""Tries periodically to write to the state store, so that `/readyz` can say whether it works.

The answer costs a client's request no call of the store. The probe is one object with a fixed name:
after the first time a store refuses it, but only a store that works can do so.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from aiohttp import web

from providers.errors import FerryError
from providers.state import State, write
from providers.stored_objects import STORE_CHECK
from proxy.background import beside

INTERVAL_SECONDS: Final = 15.0
# After a failure, so that the end of an outage is soon seen.
RETRY_SECONDS: Final = 2.0
# A store that takes longer is called degraded, while the probe goes on.
PATIENCE_SECONDS: Final = 2.0

OK: Final = "ok"

_log: Final = logging.getLogger(__name__)

# Larger than what some disks still take when they are full.
_CONTENT: Final = bytes(8 << 10)


class StateProbe:
    """`running` is for `app.cleanup_ctx`. Until it runs, the store is not tried."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._found = "not tried yet"
        self._first = asyncio.Event()

    async def found(self) -> str:
        """`ok`, or why the store is degraded. Waits only for the first probe."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._first.wait()
        return self._found

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        async with beside(self._probe_periodically()):
            yield

    async def _probe_periodically(self) -> None:
        while True:
            probe = asyncio.create_task(self._try())
            try:
                done, _ = await asyncio.wait({probe}, timeout=PATIENCE_SECONDS)
                if not done:
                    self._tell(f"degraded: no answer within {PATIENCE_SECONDS:g} s")
                self._tell(await probe)
            finally:
                probe.cancel()
                # So that it removes its draft; a store that hangs must not hang the end.
                await asyncio.wait({probe}, timeout=PATIENCE_SECONDS)
            await asyncio.sleep(INTERVAL_SECONDS if self._found == OK else RETRY_SECONDS)

    async def _try(self) -> str:
        try:
            await write(self._state, STORE_CHECK.name("probe"), _CONTENT)
        except FerryError as error:
            return f"degraded: {error.message}"
        except Exception as error:  # from any store
            return f"degraded: {type(error).__name__}"
        return OK

    def _tell(self, found: str) -> None:
        if found != self._found and (found != OK or self._first.is_set()):
            level = logging.INFO if found == OK else logging.WARNING
            _log.log(level, "the state store is %s", found)
        self._found = found
        self._first.set()


# The probe whose result `/readyz` shows; the composition root sets it.
PROBE: Final[web.AppKey[StateProbe]] = web.AppKey("probe")
