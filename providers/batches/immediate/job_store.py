"""The records of jobs: what was requested and how it ended.

A job exists while its record exists: the record is written after all other objects and deleted
before them. Records live for the state's time to live and everything else lives longer
(proxy/sweep.py), so no job is seen with only some of its objects.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from providers.batches.immediate.job_ids import is_immediate
from providers.batches.immediate.job_work import JobWork
from providers.batches.request_table import RowKind
from providers.resources import BatchKind, BatchState
from providers.state import ObjectInfo, State, read, write

_RECORDS: Final = "immediate"
_OPEN: Final = "immediate-open"
_ENDINGS: Final = "immediate-ended"
_WORK: Final = "immediate-work"


@dataclass(frozen=True, slots=True)
class JobKey:
    tenant: str
    job_id: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.job_id}"


@dataclass(frozen=True, slots=True)
class ImmediateJob:
    """A job as it was created, with `count` records; `rows` is the kind of its request table.

    `invocation` is the name of the format of its lines. `creation` distinguishes the objects of
    each attempt to create the job.
    `ambient`: whether the proxy's own credential pays for it.
    """

    model: str
    display_name: str | None
    kind: BatchKind
    invocation: str
    rows: RowKind
    count: int
    created: datetime
    creation: str
    ambient: bool
    warnings: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended. `output` is the number of the object with its results."""

    state: BatchState
    started: datetime
    ended: datetime
    succeeded: int
    failed: int
    output: int


class JobStore:
    """All immediate jobs of one upstream."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state

    async def create(self, key: JobKey, job: ImmediateJob) -> bool:
        """False if the job `key` exists already."""
        if job.ambient:
            # Before the record, so the periodic look finds every job.
            await write(self._state, self._open(key, job), b"")
        return await write(self._state, self._record(key), orjson.dumps(job))

    async def find(self, key: JobKey) -> ImmediateJob | None:
        data = await read(self._state, self._record(key))
        return None if data is None else _parse_job(data)

    async def forget(self, key: JobKey) -> None:
        """Delete the record only: the job is gone, its work and its ending are not yet."""
        await self._state.delete(self._record(key))

    async def close(self, key: JobKey, job: ImmediateJob) -> None:
        """End the periodic look for the job: it has ended, or was not created."""
        if job.ambient:
            await self._state.delete(self._open(key, job))

    async def end(self, key: JobKey, job: ImmediateJob, ending: Ending) -> bool:
        """False if the job had ended already; the first ending counts."""
        return await write(self._state, self._ending(key, job), orjson.dumps(ending))

    async def ending(self, key: JobKey, job: ImmediateJob) -> Ending | None:
        data = await read(self._state, self._ending(key, job))
        return None if data is None else _parse_ending(data)

    async def delete_ending(self, key: JobKey, job: ImmediateJob) -> None:
        await self._state.delete(self._ending(key, job))

    def work(self, key: JobKey, job: ImmediateJob) -> JobWork:
        return JobWork(f"{_WORK}/{self._upstream}/{key}/{job.creation}", self._state)

    async def of_tenant(self, tenant: str) -> AsyncIterator[tuple[JobKey, ObjectInfo]]:
        """The tenant's jobs in the order of ids."""
        prefix = f"{_RECORDS}/{self._upstream}/{tenant}/"
        async for info in self._state.list(prefix):
            yield JobKey(tenant, info.name.removeprefix(prefix)), info

    async def unfinished_of_proxy(self) -> AsyncIterator[JobKey]:
        """The jobs of all tenants that the proxy's credential pays for and that are not closed."""
        prefix = f"{_OPEN}/{self._upstream}/"
        async for info in self._state.list(prefix):
            tenant, job_id, *_ = info.name.removeprefix(prefix).split("/")
            if is_immediate(job_id):
                yield JobKey(tenant, job_id)

    def _open(self, key: JobKey, job: ImmediateJob) -> str:
        return f"{_OPEN}/{self._upstream}/{key}/{job.creation}"

    def _record(self, key: JobKey) -> str:
        return f"{_RECORDS}/{self._upstream}/{key}"

    def _ending(self, key: JobKey, job: ImmediateJob) -> str:
        return f"{_ENDINGS}/{self._upstream}/{key}/{job.creation}"


def _parse_job(data: bytes) -> ImmediateJob:
    document = orjson.loads(data)
    return ImmediateJob(
        document["model"],
        document["display_name"],
        BatchKind(document["kind"]),
        document["invocation"],
        RowKind(document["rows"]),
        document["count"],
        datetime.fromisoformat(document["created"]),
        document["creation"],
        document["ambient"],
        document.get("warnings", ""),
    )


def _parse_ending(data: bytes) -> Ending:
    document = orjson.loads(data)
    return Ending(
        BatchState(document["state"]),
        datetime.fromisoformat(document["started"]),
        datetime.fromisoformat(document["ended"]),
        document["succeeded"],
        document["failed"],
        document["output"],
    )
