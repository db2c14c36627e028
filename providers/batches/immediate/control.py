"""Whether a run continues: until it is halted, its job is cancelled or its lease is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from providers.batches.immediate.leases import Clock, Lease
from providers.batches.immediate.stored import StoredJob
from providers.errors import FerryError

_STORE_TRIES: Final = 5
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0

T = TypeVar("T")


class Halted(Exception):
    """No further call of this job may begin."""


class RunControl:
    def __init__(self, lease: Lease, job: StoredJob, clock: Clock) -> None:
        self.owner = lease.record.owner
        self.check_lease = lease.check
        self._job = job
        self._clock = clock
        self._halted = asyncio.Event()

    @property
    def halted(self) -> bool:
        return self._halted.is_set()

    def halt(self) -> None:
        self._halted.set()

    def check_locally(self) -> None:
        """Raises Halted or LeaseLost, without a look at the store."""
        self.check_lease()
        if self.halted:
            raise Halted

    async def check(self) -> None:
        """Like `check_locally`, and raises Halted if any replica has cancelled the job."""
        self.check_locally()
        if await self.retry_store(self._job.cancelled):
            self.halt()
        self.check_locally()

    async def wait(self, seconds: float) -> None:
        """Raises Halted as soon as the run is halted."""
        halted = asyncio.create_task(self._halted.wait())
        waited = asyncio.ensure_future(self._clock.wait(seconds))
        try:
            await asyncio.wait({halted, waited}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            halted.cancel()
            waited.cancel()
        self.check_locally()

    async def pause(self, seconds: float) -> None:
        """Like `wait`, with a look at the store afterwards."""
        await self.wait(seconds)
        await self.check()

    async def retry_store(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the store, with retries: a failure would end the calls in flight."""
        tries = AsyncRetrying(
            sleep=self._clock.wait,
            stop=stop_after_attempt(_STORE_TRIES),
            wait=wait_exponential_jitter(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS),
            retry=retry_if_exception(_store_recovers),
            reraise=True,
        )
        answer: T = await tries(ask)
        return answer


def _store_recovers(error: BaseException) -> bool:
    return isinstance(error, OSError) or (isinstance(error, FerryError) and not error.permanent)
