"""Heartbeats of the owners of jobs: with one list, a process sees those of all unfinished jobs.

The owner of a job writes a heartbeat after each of its lease records, with the same epoch. They
only save calls: while they are seen, no other process reads the lease of this job.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from providers.batches.immediate.clock import Clock
from providers.batches.immediate.job import JobKey, is_immediate
from providers.state import State, write
from providers.stored_objects import IMMEDIATE_OPEN

LOOK_SECONDS: Final = 10.0
# Spreads the looks of replicas that start together.
_JITTER: Final = 0.1


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The newest of a job, and when this process first saw it, by its monotonic clock."""

    epoch: int
    since: float


class Heartbeats:
    """What this process sees in the prefix of unfinished jobs of one upstream.

    A job's heartbeats are named as its marker, then a dot and the epoch. In this class `job` is the
    name of the marker, without the prefix.
    """

    def __init__(self, upstream: str, state: State, clock: Clock) -> None:
        self._prefix = IMMEDIATE_OPEN.name(upstream, "")
        self._state = state
        self._clock = clock
        self._turn = asyncio.Lock()
        self._looks = 0
        self._next_look = clock.monotonic()
        self._newest: Mapping[str, Heartbeat] = {}
        self.unfinished: Sequence[str] = ()
        """The jobs with a marker, at the last look."""

    async def write(self, job: str, epoch: int) -> None:
        """The earlier one is deleted, so the list stays short."""
        await write(self._state, self._name(job, epoch), b"")
        await self._state.delete(self._name(job, epoch - 1))

    async def stop(self, job: str) -> None:
        """Delete all of a job: an interrupted `write` leaves an earlier one."""
        async for info in self._state.list(f"{self._prefix}{job}."):
            await self._state.delete(info.name)

    def first_seen(self, job: str, epoch: int) -> float:
        """When the heartbeat of this epoch was first seen; now, if it is not the newest."""
        newest = self._newest.get(job)
        same = newest is not None and newest.epoch == epoch
        return newest.since if newest and same else self._clock.monotonic()

    def silence(self, job: str) -> float:
        """For how many seconds no new heartbeat was seen; infinite if there is none."""
        newest = self._newest.get(job)
        return inf if newest is None else self._clock.monotonic() - newest.since

    async def look(self) -> None:
        """Wait for the next look. Everything that waits in this process shares it."""
        looks = self._looks
        async with self._turn:
            if self._looks == looks:
                if (pause := self._next_look - self._clock.monotonic()) > 0:
                    await self._clock.wait(pause)
                try:
                    await self._list()
                finally:
                    rest = LOOK_SECONDS * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
                    self._next_look = self._clock.monotonic() + rest
                self._looks += 1

    async def _list(self) -> None:
        markers: list[str] = []
        epochs: dict[str, int] = {}
        async for info in self._state.list(self._prefix):
            job, _, epoch = info.name.removeprefix(self._prefix).partition(".")
            if epoch:
                epochs[job] = int(epoch)  # the names are in the order of the epochs
            else:
                markers.append(job)
        self._newest = {
            job: Heartbeat(epoch, self.first_seen(job, epoch)) for job, epoch in epochs.items()
        }
        self.unfinished = markers

    def _name(self, job: str, epoch: int) -> str:
        return f"{self._prefix}{job}.{epoch:08d}"


def key_of(job: str) -> JobKey | None:
    """None for an id of another version."""
    tenant, job_id, _ = job.split("/")
    return JobKey(tenant, job_id) if is_immediate(job_id) else None
