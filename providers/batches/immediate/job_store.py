"""The records of jobs: what was requested and how it ended.

A job exists while its record exists: the record is written after all other objects and deleted
before them. Records live for the state's time to live and everything else lives longer
(proxy/sweep.py), so no job is seen with only some of its objects.
"""

import hashlib
import re
from base64 import b32hexencode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson
from pydantic import TypeAdapter

from providers.batches.immediate.job_work import JobWork
from providers.batches.request_table import RequestTables, RowKind
from providers.resources import BatchKind, BatchState
from providers.state import ObjectInfo, State, read, write

_RECORDS: Final = "immediate"
_OPEN: Final = "immediate-open"
_ENDINGS: Final = "immediate-ended"
_WORK: Final = "immediate-work"
# Unlike the ids of any provider's batches.
_ID: Final = re.compile(r"immediate-[0-9a-v]{26}")


def job_id_of(mark: str) -> str:
    """The id derived from `mark`."""
    digest = hashlib.sha256(mark.encode()).digest()[:16]
    return "immediate-" + b32hexencode(digest).decode().rstrip("=").lower()


def is_immediate(batch_id: str) -> bool:
    return _ID.fullmatch(batch_id) is not None


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
    each attempt to create the job. `ambient`: whether the proxy's own credential pays for it.
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


_JOB: Final = TypeAdapter(ImmediateJob)
_ENDING: Final = TypeAdapter(Ending)


class JobStore:
    """All immediate jobs of one upstream."""

    def __init__(self, upstream: str, state: State) -> None:
        self._upstream = upstream
        self._state = state
        self.tables = RequestTables(upstream, state)

    async def create(self, key: JobKey, job: ImmediateJob) -> bool:
        """False if the job `key` exists already."""
        if job.ambient:
            # Before the record, so the periodic look finds every job.
            await write(self._state, self._of(_OPEN, key, job), b"")
        return await write(self._state, self._record(key), orjson.dumps(job))

    async def find(self, key: JobKey) -> ImmediateJob | None:
        data = await read(self._state, self._record(key))
        return None if data is None else _JOB.validate_json(data)

    async def close(self, key: JobKey, job: ImmediateJob) -> None:
        """End the periodic look for the job: it has ended, or was not created."""
        if job.ambient:
            await self._state.delete(self._of(_OPEN, key, job))

    async def end(self, key: JobKey, job: ImmediateJob, ending: Ending) -> bool:
        """False if the job had ended already; the first ending counts."""
        return await write(self._state, self._of(_ENDINGS, key, job), orjson.dumps(ending))

    async def ending(self, key: JobKey, job: ImmediateJob) -> Ending | None:
        data = await read(self._state, self._of(_ENDINGS, key, job))
        return None if data is None else _ENDING.validate_json(data)

    async def delete(self, key: JobKey, job: ImmediateJob) -> None:
        """In an order in which the job cannot reappear or run again."""
        await self._state.delete(self._record(key))
        await self.delete_parts(key, job)
        await self._state.delete(self._of(_ENDINGS, key, job))

    async def delete_parts(self, key: JobKey, job: ImmediateJob) -> None:
        """Delete the objects of a job without a record."""
        await self.close(key, job)
        await self.work(key, job).delete()
        await self.tables.delete(table_name(key, job))

    def work(self, key: JobKey, job: ImmediateJob) -> JobWork:
        return JobWork(self._of(_WORK, key, job), self._state)

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

    def _record(self, key: JobKey) -> str:
        return f"{_RECORDS}/{self._upstream}/{key}"

    def _of(self, prefix: str, key: JobKey, job: ImmediateJob) -> str:
        return f"{prefix}/{self._upstream}/{table_name(key, job)}"


def table_name(key: JobKey, job: ImmediateJob) -> str:
    return f"{key}/{job.creation}"
