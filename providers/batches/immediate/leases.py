"""Who runs a job: a lease is a series of write-once records, each with the next epoch.

No clocks are compared. A waiting replica takes a job over after the newest record has not changed
for a whole lease of its own time. The owner stops earlier, if it could not renew. Only one replica
can create the record of the next epoch, so the lease has one owner.
"""

import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import orjson

from providers.batches.immediate.clock import Clock
from providers.batches.immediate.heartbeats import Heartbeats
from providers.errors import FerryError
from providers.state import State, read_as, write

LEASE_SECONDS: Final = 30.0
RENEWAL_SECONDS: Final = 10.0
# An owner stops this long before its lease ends.
MARGIN_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 1.0
# Names count down, so the newest record is always the first of a list.
_LAST_EPOCH: Final = 99_999_999

_log: Final = logging.getLogger("genai_ferry.immediate")


class LeaseLost(Exception):
    """Another owner has the job or may have it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The number of records with a result, and of those with an error."""

    answered: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """`over`: released by its owner. `started` is when the job's first owner began.

    `progress` is for versions that read it here and not from the results.
    """

    epoch: int
    owner: str
    started: datetime
    progress: Progress = field(default_factory=Progress)
    over: bool = False


class Lease:
    """The lease on one job, as this process sees it. `job` is its name among the `heartbeats`.

    Its records are under `prefix`. They are kept as long as the job. If an old one were deleted, an
    owner that was suspended could create it again and believe that its lease is the newest.
    """

    def __init__(
        self, prefix: str, job: str, state: State, heartbeats: Heartbeats, clock: Clock
    ) -> None:
        self._prefix = prefix
        self._job = job
        self._heartbeats = heartbeats
        self._state = state
        self._clock = clock
        self._until = clock.monotonic()
        self.record = LeaseRecord(0, secrets.token_hex(8), clock.now())
        """The newest record of this owner, after `acquire`."""

    async def newest(self) -> LeaseRecord | None:
        listed = self._state.list(f"{self._prefix}/")
        try:
            info = await anext(listed, None)
        finally:
            if isinstance(listed, AsyncGenerator):
                await listed.aclose()
        last = "" if info is None else info.name.rpartition("/")[2]
        return await self._read(_LAST_EPOCH - int(last)) if last else None

    async def acquire(self, wanted: Callable[[], Awaitable[bool]]) -> bool:
        """Wait until the lease is free and take it; False as soon as the job is not `wanted`."""
        seen: LeaseRecord | None = None
        since = self._clock.monotonic()
        while await wanted():
            newest = await self.newest()
            if newest and newest != seen:
                seen, since = newest, self._heartbeats.first_seen(self._job, newest.epoch)
            unchanged = self._clock.monotonic() - since
            if newest and not newest.over and unchanged < LEASE_SECONDS:
                await self._wait_for_silence()
            elif await self._take(newest or self.record):
                # The job may have ended meanwhile, and its lease records may be gone.
                return await wanted()
        return False

    async def _wait_for_silence(self) -> None:
        """The lease need not be read while new heartbeats of its owner are seen.

        An owner of a version without heartbeats is silent at each look.
        """
        while True:
            await self._heartbeats.look()
            if self._heartbeats.silence(self._job) >= LEASE_SECONDS:
                return

    def check(self) -> None:
        """Raises LeaseLost if the lease has expired, even before `expire` notices."""
        if self._clock.monotonic() >= self._until:
            raise LeaseLost

    async def confirm(self) -> None:
        """Raises LeaseLost if another owner has the job, whatever the clock says."""
        later = await self._read(self.record.epoch + 1)
        if later is not None and later.owner != self.record.owner:
            raise LeaseLost

    async def keep(self) -> None:
        """Renew periodically, until it raises LeaseLost."""
        pause = RENEWAL_SECONDS
        while True:
            await self._clock.wait(pause)
            try:
                if not await self._take(self.record):
                    raise LeaseLost
                pause = RENEWAL_SECONDS
            except (FerryError, OSError) as error:
                # `expire` ends these attempts when it is too late.
                _log.warning("a lease could not be renewed yet: %s", type(error).__name__)
                pause = _RETRY_SECONDS

    async def expire(self) -> None:
        """Wait until the lease expires, even while a renewal is blocked."""
        while True:
            await self._clock.wait(max(0.0, self._until - self._clock.monotonic()))
            self.check()

    async def release(self) -> None:
        """Let another owner take the job immediately."""
        newest = await self.newest()
        # Read again: a renewal that was interrupted may have been stored.
        if newest is not None and newest.owner == self.record.owner:
            await self.create(replace(newest, epoch=newest.epoch + 1, over=True))
            await self._heartbeats.stop(self._job)

    async def _take(self, last: LeaseRecord) -> bool:
        """Whether this owner has the epoch after `last`."""
        began = self._clock.monotonic()
        owner = self.record.owner
        record = replace(last, epoch=last.epoch + 1, owner=owner, over=False)
        taken = await self.create(record)
        if taken:
            self.record, self._until = record, began + LEASE_SECONDS - MARGIN_SECONDS
            await self._heartbeats.write(self._job, record.epoch)
        return taken

    async def create(self, record: LeaseRecord) -> bool:
        """Whether `record` is stored, possibly by an earlier call whose answer was lost."""
        if await write(self._state, self._name(record.epoch), orjson.dumps(record)):
            return True
        stored = await self._read(record.epoch)
        return stored is not None and stored.owner == record.owner

    async def _read(self, epoch: int) -> LeaseRecord | None:
        return await read_as(self._state, self._name(epoch), LeaseRecord)

    def _name(self, epoch: int) -> str:
        return f"{self._prefix}/{_LAST_EPOCH - epoch:08d}"
