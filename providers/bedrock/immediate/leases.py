"""Who runs a job: write-once records with an epoch, renewed by writing the next one.

No clock is compared with another. Who waits for a job takes it over after it has seen one and the
same record as the newest for a whole lease of its own time; its owner stops when it could not renew
for less than that. Whoever creates the next epoch's record has it, and nobody else can.
"""

import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import orjson

from providers.bedrock.immediate.clock import Clock
from providers.errors import FerryError
from providers.state import State, read, write

LEASE_SECONDS: Final = 30.0
RENEWAL_SECONDS: Final = 10.0
# How long before its lease ends an owner has stopped.
MARGIN_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 1.0
# Names count down, so that the newest record is the first of a list however many there were.
_LAST_EPOCH: Final = 99_999_999

_log: Final = logging.getLogger("genai_ferry.bedrock")


class LeaseLost(Exception):
    """Another owner has the job, or may have it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Records that were answered, and those of them with an error."""

    answered: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """`over`: given up by its owner. `started` is when the job's first owner began."""

    epoch: int
    owner: str
    started: datetime
    progress: Progress = Progress()
    over: bool = False


class LeaseRecords:
    """The records on one job, under `prefix`. They live as long as the job does.

    Were an old one deleted, an owner that has slept could create it once more and take itself for
    the newest.
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
        data = None if info is None else await read(self._state, info.name)
        return None if data is None else _parse(data)

    async def create(self, record: LeaseRecord) -> bool:
        """Whether `record` stands: also where it was created by a call whose answer was lost."""
        name = f"{self._prefix}/{_LAST_EPOCH - record.epoch:08d}"
        if await write(self._state, name, orjson.dumps(record)):
            return True
        data = await read(self._state, name)
        return data is not None and _parse(data).owner == record.owner


class Lease:
    """A record that is held, until `keep` or `expire` raises LeaseLost."""

    def __init__(
        self, records: LeaseRecords, clock: Clock, record: LeaseRecord, until: float
    ) -> None:
        self._records = records
        self._clock = clock
        self._record = record
        self._until = until

    @property
    def started(self) -> datetime:
        return self._record.started

    @property
    def owner(self) -> str:
        """Of this lease alone."""
        return self._record.owner

    @property
    def epoch(self) -> int:
        return self._record.epoch

    @property
    def progress(self) -> Progress:
        """As it was last written down: an owner that died may have made more."""
        return self._record.progress

    def check(self) -> None:
        """Raises LeaseLost where the lease is over, also if nothing has noticed that yet."""
        if self._clock.monotonic() >= self._until:
            raise LeaseLost

    async def keep(self, progress: Callable[[], Progress]) -> None:
        """Renew for ever, each time with the progress made."""
        while True:
            await self._clock.wait(RENEWAL_SECONDS)
            await self._renew(progress)

    async def expire(self) -> None:
        """Wait for the lease to end without having been renewed, whatever a renewal waits for."""
        while True:
            await self._clock.wait(max(0.0, self._until - self._clock.monotonic()))
            self.check()

    async def release(self, progress: Progress) -> None:
        """Let another owner have the job at once."""
        newest = await self._records.newest()
        # Not the record that is known here: a renewal that was cut off may have been written.
        if newest is not None and newest.owner == self._record.owner:
            over = replace(newest, epoch=newest.epoch + 1, progress=progress, over=True)
            await self._records.create(over)

    async def _renew(self, progress: Callable[[], Progress]) -> None:
        while True:
            began = self._clock.monotonic()
            record = replace(self._record, epoch=self._record.epoch + 1, progress=progress())
            try:
                stands = await self._records.create(record)
            except (FerryError, OSError) as error:
                # Until `expire` says that it is too late.
                _log.warning("a record could not be renewed yet: %s", type(error).__name__)
                await self._clock.wait(_RETRY_SECONDS)
                continue
            if not stands:
                raise LeaseLost
            self._record, self._until = record, _until(began)
            return


async def acquire(
    records: LeaseRecords, clock: Clock, wanted: Callable[[], Awaitable[bool]]
) -> Lease | None:
    """Wait until the job can be had; None as soon as it is `wanted` no more."""
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
            # What had ended the job may have removed the records on it.
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
        record = LeaseRecord(newest.epoch + 1, owner, newest.started, newest.progress)
    return Lease(records, clock, record, _until(began)) if await records.create(record) else None


def _until(began: float) -> float:
    return began + LEASE_SECONDS - MARGIN_SECONDS


def _parse(data: bytes) -> LeaseRecord:
    document = orjson.loads(data)
    return LeaseRecord(
        document["epoch"],
        document["owner"],
        datetime.fromisoformat(document["started"]),
        Progress(**document["progress"]),
        document["over"],
    )
