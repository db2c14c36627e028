"""The periodic resumption of unfinished jobs that the proxy's own credential pays for."""

import logging
import random
from collections.abc import Callable
from typing import Final

from providers.batches.immediate.clock import Clock, SystemClock
from providers.batches.immediate.jobs import ImmediateJobs
from providers.batches.immediate.leases import LEASE_SECONDS
from providers.credential import Caller
from providers.errors import FerryError

INTERVAL_SECONDS: Final = LEASE_SECONDS / 2
# Spreads the looks of replicas that start together.
_JITTER: Final = 0.1

_log: Final = logging.getLogger("genai_ferry.immediate")


class Resumption:
    """`caller_of` returns the caller for a tenant on the proxy's credential."""

    def __init__(
        self,
        jobs: ImmediateJobs,
        caller_of: Callable[[str], Caller],
        clock: Clock | None = None,
    ) -> None:
        self._jobs = jobs
        self._caller_of = caller_of
        self._clock = clock or SystemClock()

    async def run(self) -> None:
        """Immediately, then periodically. For `Background.start`."""
        while True:
            try:
                await self._resume_all()
            except (FerryError, OSError) as error:  # from the store; the next look tries again
                _log.warning("unfinished batches could not be listed: %s", type(error).__name__)
            jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
            await self._clock.wait(INTERVAL_SECONDS * jitter)

    async def _resume_all(self) -> None:
        async for key in self._jobs.unfinished_of_proxy():
            self._jobs.resume(self._caller_of(key.tenant), key)
