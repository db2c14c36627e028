"""Who runs a job: a lease is a series of write-once records, each with the next epoch.

No clocks are compared. A waiting replica takes a job over after the newest record has not changed
for a whole lease of its own time. The owner stops earlier, if it could not renew. Only one replica
can create the record of the next epoch, so the lease has one owner.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Protocol

import orjson
from pydantic import TypeAdapter

from providers.batches.immediate.job import Progress
from providers.errors import FerryError
from providers.state import State, read, write

LEASE_SECONDS: Final = 30.0
RENEWAL_SECONDS: Final = 10.0
# An owner stops this long before its lease ends.
MARGIN_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 1.0
# Names count down, so the newest record is always the first of a list.
_LAST_EPOCH: Final = 99_999_999

_log: Final = logging.getLogger("genai_ferry.immediate")


class Clock(Protocol):
    """Time as a dependency, so tests need not wait."""

    def now(self) -> datetime:
        """In UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never decreasing."""

    async def wait(self, seconds: float) -> None: ...


class SystemClock:
    """Implements `Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class LeaseLost(Exception):
    """Another owner has the job or may have it."""


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


_RECORD: Final = TypeAdapter(LeaseRecord)


class LeaseRecords:
    """The lease records of one job, under `prefix`. They are kept as long as the job.

    If an old one were deleted, an owner that was suspended could create it again and believe that
    its lease is the newest.
    """

    def __init__(self, prefix: str, state: State) -> None:
        self._prefix = prefix
        self._state = state

    async def newest(self) -> LeaseRecord | None:
        listed = self._state.list(f"{self._prefix}/")
        try:
            info = await anext(listed, None)
        finally:
            if isinstance(listed, AsyncGenerator):
                await listed.aclose()
        return None if info is None else await self._read(info.name)

    async def create(self, record: LeaseRecord) -> bool:
        """Whether `record` is stored, possibly by an earlier call whose answer was lost."""
        name = f"{self._prefix}/{_LAST_EPOCH - record.epoch:08d}"
        if await write(self._state, name, orjson.dumps(record)):
            return True
        stored = await self._read(name)
        return stored is not None and stored.owner == record.owner

    async def _read(self, name: str) -> LeaseRecord | None:
        data = await read(self._state, name)
        return None if data is None else _RECORD.validate_json(data)


class Lease:
    """A lease that this process owns until `keep` or `expire` raises LeaseLost."""

    def __init__(
        self, records: LeaseRecords, clock: Clock, record: LeaseRecord, until: float
    ) -> None:
        self._records = records
        self._clock = clock
        self.record = record
        self._until = until

    def check(self) -> None:
        """Raises LeaseLost if the lease has expired, even before `expire` notices."""
        if self._clock.monotonic() >= self._until:
            raise LeaseLost

    async def keep(self) -> None:
        """Renew periodically."""
        while True:
            await self._clock.wait(RENEWAL_SECONDS)
            await self._renew()

    async def expire(self) -> None:
        """Wait until the lease expires, even while a renewal is blocked."""
        while True:
            await self._clock.wait(max(0.0, self._until - self._clock.monotonic()))
            self.check()

    async def release(self) -> None:
        """Let another owner take the job immediately."""
        newest = await self._records.newest()
        # Read again: a renewal that was interrupted may have been stored.
        if newest is not None and newest.owner == self.record.owner:
            await self._records.create(replace(newest, epoch=newest.epoch + 1, over=True))

    async def _renew(self) -> None:
        while True:
            began = self._clock.monotonic()
            record = replace(self.record, epoch=self.record.epoch + 1)
            try:
                stands = await self._records.create(record)
            except (FerryError, OSError) as error:
                # `expire` ends these attempts when it is too late.
                _log.warning("a lease could not be renewed yet: %s", type(error).__name__)
                await self._clock.wait(_RETRY_SECONDS)
                continue
            if not stands:
                raise LeaseLost
            self.record, self._until = record, _until(began)
            return


async def acquire(
    records: LeaseRecords, clock: Clock, wanted: Callable[[], Awaitable[bool]]
) -> Lease | None:
    """Wait until the lease is free and take it; None as soon as the job is not `wanted`."""
    seen: LeaseRecord | None = None
    since = clock.monotonic()
    while await wanted():
        newest = await records.newest()
        if newest is None or newest.over:
            free = True
        elif seen is None or newest.epoch != seen.epoch:
            seen, since, free = newest, clock.monotonic(), False
        else:
            free = clock.monotonic() - since >= LEASE_SECONDS
        lease = await _take(records, clock, newest) if free else None
        if lease is not None:
            # The job may have ended meanwhile, and its lease records may be gone.
            return lease if await wanted() else None
        if not free:
            await clock.wait(RENEWAL_SECONDS)
    return None


async def _take(records: LeaseRecords, clock: Clock, newest: LeaseRecord | None) -> Lease | None:
    began = clock.monotonic()
    owner = secrets.token_hex(8)
    if newest is None:
        record = LeaseRecord(1, owner, clock.now())
    else:
        record = replace(newest, epoch=newest.epoch + 1, owner=owner, over=False)
    return Lease(records, clock, record, _until(began)) if await records.create(record) else None


def _until(began: float) -> float:
    return began + LEASE_SECONDS - MARGIN_SECONDS
